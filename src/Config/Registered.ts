/**
 * What a configuration chooses by its name (`_tag`): networks, steps of augmentation, optimisers, schedules and losses.
 * Each is a definition, a value that brings the Schema of its options along; those that can be chosen stand in a list.
 */
import * as Schema from "effect/Schema"
import { withDefault } from "./Fields.ts"

/** Something chosen by its name; its options stand beside the name. */
export interface Registered {
  readonly _tag: string
  /** That of a program's own definition; those of this library have the library's version. */
  readonly version?: number
}

/** Something that can be chosen, with the Schema of its name and options. */
export interface Definition<Options extends Registered = Registered, Input = unknown> {
  readonly name: string
  /** Counts the changes to a program's own definition after which it is no longer the same. */
  readonly version?: number | undefined
  readonly schema: Schema.Codec<Options, Input>
}

/** Name and options as they are decoded. */
export type OptionsOf<Name extends string, Fields extends Schema.Struct.Fields> = {
  readonly _tag: Name
} & Schema.Struct<Fields>["Type"]

/** Name and options as they are written, without those that have a default. */
export type InputOf<Name extends string, Fields extends Schema.Struct.Fields> = {
  readonly _tag: Name
} & Schema.Struct<Fields>["Encoded"]

/** A name, a version and options, as each definition states them. */
export interface Stated<Name extends string, Fields extends Schema.Struct.Fields> {
  /** The `_tag` in a configuration. */
  readonly name: Name
  /** Needed in a program's own definitions: it is written into `config.json` and has to be the same on reading. */
  readonly version?: number
  /** The options, each with its Schema. */
  readonly fields: Fields
  /** What is wrong with options that are right one by one. */
  readonly check?: (options: OptionsOf<Name, Fields>) => Schema.FilterIssue | undefined
}

/** The Schema of a definition's name and options, and of its version where it has one. */
export const statedSchema = <const Name extends string, const Fields extends Schema.Struct.Fields>({
  check,
  fields,
  name,
  version
}: Stated<Name, Fields>): Schema.Codec<OptionsOf<Name, Fields>, InputOf<Name, Fields>> => {
  const schema = Schema.TaggedStruct(name, {
    ...fields,
    ...(version !== undefined && { version: Schema.Literal(version).pipe(withDefault(version)) })
  }) as unknown as Schema.Codec<OptionsOf<Name, Fields>, InputOf<Name, Fields>>
  return check === undefined ? schema : schema.check(Schema.makeFilter(check))
}

/** The Schema of one of a list of definitions, chosen by its name. */
export const oneOf = <D extends Definition>(definitions: ReadonlyArray<D>) =>
  Schema.Union(definitions.map(({ schema }): D["schema"] => schema))

/** The definition that decoded options belong to. Throws where the list has none of their name. */
export const definitionOf = <D extends { readonly name: string }>(
  definitions: ReadonlyArray<D>,
  { _tag }: Registered
): D => {
  const found = definitions.find(({ name }) => name === _tag)
  if (found === undefined) throw new Error(`${_tag} is not registered`)
  return found
}
