/**
 * Models as data: the Schema of each architecture's configuration, and the constructor that it names.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { atLeast, positive, probability, share, withDefault } from "./Config/Fields.ts"
import { airbench } from "./Model/Architecture/Airbench.ts"
import { denseNet } from "./Model/Architecture/DenseNet.ts"
import { preActResNet } from "./Model/Architecture/PreActResNet.ts"
import { pyramidNet } from "./Model/Architecture/PyramidNet.ts"
import { simpleCnn } from "./Model/Architecture/SimpleCnn.ts"
import { visionTransformer } from "./Model/Architecture/VisionTransformer.ts"
import { wideResNet } from "./Model/Architecture/WideResNet.ts"
import { SHAKE_RANGES, type ShakeDropOptions } from "./Model/Block/ShakeDrop.ts"
import type { Size } from "./Model/Layer/Layer.ts"
import type { Network } from "./Model/Network.ts"

export { type AirbenchOptions, airbench } from "./Model/Architecture/Airbench.ts"
export { type DenseNetOptions, denseNet } from "./Model/Architecture/DenseNet.ts"
export { type PreActResNetOptions, preActResNet } from "./Model/Architecture/PreActResNet.ts"
export { type PyramidNetOptions, pyramidNet } from "./Model/Architecture/PyramidNet.ts"
export { type SimpleCnnOptions, simpleCnn } from "./Model/Architecture/SimpleCnn.ts"
export { type VisionTransformerOptions, visionTransformer } from "./Model/Architecture/VisionTransformer.ts"
export { type WideResNetOptions, wideResNet } from "./Model/Architecture/WideResNet.ts"
export {
  SHAKE_RANGES,
  type ShakeDraw,
  type ShakeDropOptions,
  shake,
  shakeDrop
} from "./Model/Block/ShakeDrop.ts"
export type { Mode, Size, TensorSpec, Weights } from "./Model/Layer/Layer.ts"
export type { DataInit, Network } from "./Model/Network.ts"
export { fromPyTorch, toPyTorch } from "./Model/Weights/PyTorchLayout.ts"
export { pretrainedFor, WeightsError, weightsFor } from "./Model/Weights/StateDict.ts"
export { whiteningFilters } from "./Model/Weights/Whitening.ts"

/** Why a depth is not one of `convolutions`·n + `rest` layers, n at least 1; undefined where it is. */
const depthProblem = (value: number, convolutions: number, rest: number): string | undefined =>
  value > rest && (value - rest) % convolutions === 0
    ? undefined
    : `a depth of ${convolutions}n + ${rest} (${convolutions + rest}, ${2 * convolutions + rest}, …), not ${value}`

const depth = (convolutions: number, rest: number) =>
  Schema.Int.check(Schema.makeFilter((value) => depthProblem(value, convolutions, rest)))

const Range = Schema.Tuple([Schema.Finite, Schema.Finite])

export const ShakeDropConfig = Schema.Struct({
  /** Probability that the last block's residual passes unchanged; it falls linearly from 1 to this. */
  survival: probability.pipe(withDefault(0.5)),
  /** Where α and β are drawn from: a preset by name, or bounds. */
  ranges: Schema.Union([
    Schema.Literals(["paper", "series"]),
    Schema.Struct({ alpha: Range, beta: Range })
  ]).pipe(Schema.withDecodingDefaultKey(Effect.succeed("paper")))
})

/** Number of classes; that of the data set unless given. */
const classes = Schema.optionalKey(atLeast(1))

const shakeDrop = Schema.optionalKey(ShakeDropConfig)

const PyramidNetConfig = Schema.TaggedStruct("PyramidNet", {
  block: Schema.Literals(["basic", "bottleneck"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("bottleneck"))
  ),
  depth: Schema.Int,
  alpha: Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)),
  shakeDrop,
  classes
}).check(
  Schema.makeFilter(({ block, depth }) => {
    const issue = depthProblem(depth, block === "basic" ? 6 : 9, 2)
    return issue === undefined ? undefined : { path: ["depth"], issue }
  })
)

const VisionTransformerConfig = Schema.TaggedStruct("VisionTransformer", {
  /** Side of a patch in pixels. */
  patchSize: atLeast(1),
  /** Length of a token. */
  embedDim: atLeast(1),
  depth: atLeast(1),
  numHeads: atLeast(1),
  /** Side in pixels that images are resized to first. */
  resize: Schema.optionalKey(atLeast(1)),
  classes
}).check(
  Schema.makeFilter(({ embedDim, numHeads, patchSize, resize }) =>
    embedDim % numHeads !== 0
      ? { path: ["numHeads"], issue: `a divisor of embedDim (${embedDim}), not ${numHeads}` }
      : resize !== undefined && resize < patchSize
        ? { path: ["resize"], issue: `at least one patch (${patchSize}), not ${resize}` }
        : undefined
  )
)

export const ModelConfig = Schema.Union([
  Schema.TaggedStruct("SimpleCnn", { width: atLeast(1), classes }),
  Schema.TaggedStruct("PreActResNet", {
    depth: Schema.Int.check(
      Schema.makeFilter((value) =>
        value === 18 || depthProblem(value, 6, 2) === undefined
          ? undefined
          : `a depth of 18 or 6n + 2 (20, 56, 110, …), not ${value}`
      )
    ),
    /** Channels of the first group: 64 for depth 18 and 16 for the others unless given. */
    width: Schema.optionalKey(atLeast(1)),
    classes
  }),
  Schema.TaggedStruct("WideResNet", {
    depth: depth(6, 4),
    widenFactor: atLeast(1),
    /** Share of the values between the convolutions of a block that training drops. */
    dropRate: Schema.optionalKey(share),
    shakeDrop,
    classes
  }),
  PyramidNetConfig,
  Schema.TaggedStruct("DenseNet", { depth: depth(6, 4), growth: atLeast(1), classes }),
  VisionTransformerConfig,
  Schema.TaggedStruct("Airbench", {
    widths: Schema.Tuple([atLeast(1), atLeast(1), atLeast(1)]),
    convolutions: Schema.Literals([2, 3]).pipe(Schema.withDecodingDefaultKey(Effect.succeed(2))),
    /** What logits are multiplied with. */
    logitScale: positive.pipe(withDefault(1 / 9)),
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
      return simpleCnn({ ...config, ...common })
    case "PreActResNet":
      return preActResNet({ ...config, ...common })
    case "WideResNet":
      return wideResNet({
        ...config,
        ...common,
        shakeDrop: config.shakeDrop && shakeDropOptions(config.shakeDrop)
      })
    case "PyramidNet":
      return pyramidNet({
        ...config,
        ...common,
        shakeDrop: config.shakeDrop && shakeDropOptions(config.shakeDrop)
      })
    case "DenseNet":
      return denseNet({ ...config, ...common })
    case "VisionTransformer":
      return visionTransformer({ ...config, ...common })
    case "Airbench":
      return airbench({ ...config, ...common })
  }
}
