/** Logits of a network for every image of a split. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { evaluationBatches } from "../../Augment.ts"
import type { Split } from "../../Data.ts"
import type { DeviceError } from "../../Device.ts"
import { isOwn, type Share } from "../../Distributed.ts"
import { float32, type HostTensor, uint8 } from "../../Tensor/HostTensor.ts"
import { show, type View } from "./View.ts"

/** Runs one batch of images: uint8 [N,H,W,3] → logits [N,classes]. */
export type Classify<E = DeviceError, R = never> = (
  images: HostTensor<"uint8">
) => Effect.Effect<HostTensor, E, R>

export interface Shared {
  readonly share: Share
  readonly sum: (values: Float32Array) => Effect.Effect<Float32Array, DeviceError>
}

export interface PredictOptions {
  /** Images in one run of the program. */
  readonly batchSize: number
  readonly classes: number
  /** Where several replicas share the batches: this one's share, and the sum of what they have. */
  readonly shared?: Shared | undefined
  /** Changes images [N,H,W,3], given by pixels and by number, into what the network is shown. */
  readonly show?: (pixels: Uint8Array, numbers: Uint32Array) => Uint8Array
}

/** Logits [images,classes] of a split, in its order. */
export const predict = Effect.fn("predict")(function* <E = DeviceError, R = never>(
  split: Split,
  { batchSize, classes, shared, show = (pixels) => pixels }: PredictOptions,
  classify: Classify<E, R>
) {
  const { height, width } = split.images
  const logits = new Float32Array(split.indices.length * classes)
  yield* Stream.runForEach(
    evaluationBatches(split, batchSize),
    Effect.fnUntraced(function* (batch) {
      if (shared !== undefined && !isOwn(shared.share, batch.index)) return
      const first = batch.index * batchSize
      const pixels = show(batch.images, split.indices.subarray(first, first + batch.size))
      const result = yield* classify(uint8([batchSize, height, width, 3], pixels))
      const rows = (result.data as Float32Array).subarray(0, batch.size * classes)
      logits.set(rows, first * classes)
    })
  )
  // Others have zeros where this one has logits.
  const all = shared === undefined ? logits : yield* shared.sum(logits)
  return float32([split.indices.length, classes], all)
})

/** The mean of the logits [images,classes] over views of a split's images, by the views' weights. */
export const predictViews = Effect.fn("predictViews")(function* (
  split: Split,
  views: ReadonlyArray<View>,
  { batchSize, classes, shared }: Pick<PredictOptions, "batchSize" | "classes" | "shared">,
  classify: Classify
) {
  const total = views.reduce((sum, { weight }) => sum + weight, 0)
  const mean = new Float32Array(split.indices.length * classes)
  for (const view of views) {
    const shown = (pixels: Uint8Array, numbers: Uint32Array) => show(view, pixels, split.images, numbers)
    const { data } = yield* predict(split, { batchSize, classes, shared, show: shown }, classify)
    for (let i = 0; i < mean.length; i++) mean[i] += (view.weight / total) * data[i]
  }
  return float32([split.indices.length, classes], mean)
})

/** The labels of a split's images, in its order. */
export const labelsOf = ({ indices, labels }: Split): Uint16Array =>
  Uint16Array.from(indices, (index) => labels[index])
