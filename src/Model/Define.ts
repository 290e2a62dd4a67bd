/** A network's architecture as a value: its options, its constructor, and what it can. */
import * as Schema from "effect/Schema"
import type { Capabilities, ModelChoice } from "../Config/Experiment.ts"
import { count } from "../Config/Fields.ts"
import {
  type Definition,
  type InputOf,
  type OptionsOf,
  type Stated,
  statedSchema
} from "../Config/Registered.ts"
import type { Size } from "./Layer/Layer.ts"
import type { Network } from "./Network.ts"

/** What a network has to fit. */
export interface ModelData {
  /** Number of logits. */
  readonly classes: number
  /** Of the images, in pixels. */
  readonly size: Size
}

/** The options of a constructor: those of its Schema, and what the network has to fit. */
export type ModelOptions<Fields extends Schema.Struct.Fields> = Schema.Struct<Fields>["Type"] & ModelData

/** Every architecture's configuration may say the number of classes; that of the data set unless it does. */
const common = { classes: Schema.optionalKey(count) }
type Common = typeof common

export interface Model<Options extends ModelChoice = ModelChoice, Input = unknown>
  extends Definition<Options, Input> {
  readonly capabilities: Capabilities
  make(options: Options & ModelData): Network
}

interface StatedModel<Name extends string, Fields extends Schema.Struct.Fields> extends Stated<Name, Fields> {
  readonly capabilities: Capabilities
  /** The network of decoded options; the same options give the same network. */
  readonly make: (options: ModelOptions<Fields>) => Network
}

/** An architecture of one's own, or of this library: what a configuration names as `model`. */
export const defineModel = <const Name extends string, const Fields extends Schema.Struct.Fields>(
  stated: StatedModel<Name, Fields>
): Model<OptionsOf<Name, Fields & Common>, InputOf<Name, Fields & Common>> => {
  const schema = statedSchema<Name, Fields>({ ...stated, fields: { ...stated.fields, ...common } })
  return { ...stated, schema } as unknown as Model<
    OptionsOf<Name, Fields & Common>,
    InputOf<Name, Fields & Common>
  >
}
