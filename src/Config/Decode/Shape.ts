/** What a Schema takes, read off its syntax tree: in a user's words, and key by key. */
import * as SchemaAST from "effect/SchemaAST"
import { isObject } from "../Overlay.ts"

/** The type of what is written, before anything is decoded. */
const written = SchemaAST.toEncoded

/** The name of an object that is chosen by its `_tag`, where it is one. */
export const tagOf = (ast: SchemaAST.AST): string | undefined => {
  if (ast._tag !== "Objects") return undefined
  const tag = ast.propertySignatures.find(({ name }) => name === "_tag")
  const type = tag === undefined ? undefined : written(tag.type)
  return type?._tag === "Literal" && typeof type.literal === "string" ? type.literal : undefined
}

/** The objects of a union that are chosen by their `_tag`. */
export const tagged = (ast: SchemaAST.AST): ReadonlyArray<readonly [tag: string, ast: SchemaAST.AST]> =>
  ast._tag !== "Union"
    ? []
    : ast.types.flatMap((type) => {
        const tag = tagOf(written(type))
        return tag === undefined ? [] : [[tag, written(type)] as const]
      })

/** The texts that a type consists of. */
export const literalsOf = (ast: SchemaAST.AST): ReadonlyArray<string> => {
  if (ast._tag === "Union") return ast.types.flatMap((type) => literalsOf(written(type)))
  return ast._tag === "Literal" && typeof ast.literal === "string" ? [ast.literal] : []
}

/** The keys of an object. */
export const keysOf = (ast: SchemaAST.AST): ReadonlyArray<string> =>
  ast._tag === "Objects" ? ast.propertySignatures.map(({ name }) => String(name)) : []

/** The keys of an object that have to be written. */
const required = (ast: SchemaAST.AST): ReadonlyArray<string> =>
  ast._tag === "Objects"
    ? ast.propertySignatures
        .filter(({ type }) => written(type).context?.isOptional !== true)
        .map(({ name }) => String(name))
    : []

/** How an object is written: its name, and what has to be given beside it. */
export const example = (ast: SchemaAST.AST): string => {
  const tag = tagOf(ast)
  const pairs = required(ast).map((key) => (key === "_tag" ? `"_tag":"${tag}"` : `"${key}":…`))
  return `{${pairs.join(",")}}`
}

/** Names as `a`, `a or b`, `a, b or c`. */
export const anyOf = (names: ReadonlyArray<string>): string =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names[names.length - 1]}`

const isInteger = (ast: SchemaAST.AST): boolean =>
  ast.checks?.some(({ annotations }) => annotations?.expected === "an integer") ?? false

/** What a type takes, as `a number`. */
export const words = (type: SchemaAST.AST): string => {
  const ast = written(type)
  switch (ast._tag) {
    case "Number":
      return isInteger(ast) ? "an integer" : "a number"
    case "String":
      return "text"
    case "Boolean":
      return "true or false"
    case "Null":
      return "null"
    case "Literal":
      return String(ast.literal)
    case "Arrays":
      return ast.elements.length > 0 && ast.rest.length === 0
        ? `a list of ${ast.elements.length} values`
        : "a list"
    case "Objects":
      return ast.propertySignatures.length === 0 ? "an object" : `an object such as ${example(ast)}`
    case "Union":
      return anyOf([...new Set(ast.types.map(words))])
    default:
      return "something else"
  }
}

/** Every key below a type, as `train.learningRate`. Of what is chosen by a `_tag` those of the input's own, if it has one. */
export const pathsOf = (type: SchemaAST.AST, input: unknown, parent = ""): ReadonlyArray<string> => {
  const ast = written(type)
  if (ast._tag === "Union") {
    const tag = isObject(input) ? input._tag : undefined
    const own = ast.types.filter((member) => tag !== undefined && tagOf(written(member)) === tag)
    const paths = (own.length > 0 ? own : ast.types).flatMap((member) => pathsOf(member, input, parent))
    return [...new Set(paths)]
  }
  if (ast._tag !== "Objects") return []
  return ast.propertySignatures.flatMap(({ name, type }) => {
    const key = String(name)
    const path = parent === "" ? key : `${parent}.${key}`
    return [path, ...pathsOf(type, isObject(input) ? input[key] : undefined, path)]
  })
}
