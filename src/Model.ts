/**
 * Models as data: the Schema of each architecture's configuration, and the constructor that it names.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Size } from "./Model/Layer.ts"
import type { Network } from "./Model/Network.ts"
import { pyramidNet } from "./Model/PyramidNet.ts"
import { SHAKE_RANGES, type ShakeDropOptions } from "./Model/ShakeDrop.ts"
import { simpleCnn } from "./Model/SimpleCnn.ts"
import { wideResNet } from "./Model/WideResNet.ts"

export type { Mode, Size, TensorSpec, Weights } from "./Model/Layer.ts"
export type { Network } from "./Model/Network.ts"
export { type PyramidNetOptions, pyramidNet } from "./Model/PyramidNet.ts"
export { fromPyTorch, toPyTorch } from "./Model/PyTorchLayout.ts"
export { SHAKE_RANGES, type ShakeDraw, type ShakeDropOptions, shake, shakeDrop } from "./Model/ShakeDrop.ts"
export { type SimpleCnnOptions, simpleCnn } from "./Model/SimpleCnn.ts"
export { type WideResNetOptions, wideResNet } from "./Model/WideResNet.ts"

const atLeast = (minimum: number) => Schema.Int.check(Schema.isGreaterThanOrEqualTo(minimum))

/** A depth of `convolutions`·n + `rest` layers, n at least 1. */
const depth = (convolutions: number, rest: number) =>
  Schema.Int.check(
    Schema.makeFilter((value) =>
      value > rest && (value - rest) % convolutions === 0
        ? undefined
        : `a depth of ${convolutions}n + ${rest} (${convolutions + rest}, ${2 * convolutions + rest}, …), not ${value}`
    )
  )

const Range = Schema.Tuple([Schema.Finite, Schema.Finite])

export const ShakeDropConfig = Schema.Struct({
  /** Probability that the last block's residual passes unchanged; it falls linearly from 1 to this. */
  survival: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 })).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(0.5))
  ),
  /** Where α and β are drawn from: a preset by name, or bounds. */
  ranges: Schema.Union([
    Schema.Literals(["paper", "series"]),
    Schema.Struct({ alpha: Range, beta: Range })
  ]).pipe(Schema.withDecodingDefaultKey(Effect.succeed("paper")))
})

/** Number of classes; that of the data set unless given. */
const classes = Schema.optionalKey(atLeast(1))

export const ModelConfig = Schema.Union([
  Schema.TaggedStruct("SimpleCnn", { width: atLeast(1), classes }),
  Schema.TaggedStruct("PyramidNet", {
    block: Schema.Literals(["bottleneck"]).pipe(Schema.withDecodingDefaultKey(Effect.succeed("bottleneck"))),
    depth: depth(9, 2),
    alpha: Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)),
    shakeDrop: Schema.optionalKey(ShakeDropConfig),
    classes
  }),
  Schema.TaggedStruct("WideResNet", {
    depth: depth(6, 4),
    width: atLeast(1),
    shakeDrop: Schema.optionalKey(ShakeDropConfig),
    classes
  })
])
export type ModelConfig = typeof ModelConfig.Type

const shakeDropOptions = ({ ranges, survival }: typeof ShakeDropConfig.Type): ShakeDropOptions => ({
  survival,
  ...(typeof ranges === "string" ? SHAKE_RANGES[ranges] : ranges)
})

/** The network that a configuration names, for a data set's number of classes and size of images. */
export const makeNetwork = (
  config: ModelConfig,
  data: { readonly classes: number; readonly size: Size }
): Network => {
  const common = { classes: config.classes ?? data.classes, size: data.size }
  switch (config._tag) {
    case "SimpleCnn":
      return simpleCnn({ ...common, width: config.width })
    case "PyramidNet":
      return pyramidNet({
        ...common,
        depth: config.depth,
        alpha: config.alpha,
        shakeDrop: config.shakeDrop && shakeDropOptions(config.shakeDrop)
      })
    case "WideResNet":
      return wideResNet({
        ...common,
        depth: config.depth,
        width: config.width,
        shakeDrop: config.shakeDrop && shakeDropOptions(config.shakeDrop)
      })
  }
}
