/** What a run starts from: its network, and what the network is told of the data. */
import * as Effect from "effect/Effect"
import { normalize } from "../../Augment.ts"
import type { Experiment } from "../../Config.ts"
import type { LoadedDataset } from "../../Data.ts"
import { makeNetwork, type Network } from "../../Model.ts"
import { draws, shuffle } from "../../Random.ts"
import { Registry } from "../../Registry.ts"
import { float32, type TensorRecord } from "../../Tensor/HostTensor.ts"
import type { DataDescription } from "../Run/DataDescription.ts"
import { RunError } from "../Run/RunError.ts"
import type { Images } from "../Step/EntryPoints.ts"

/** The network of an experiment for a data set, where one fits the other. */
export const networkFor = Effect.fnUntraced(function* (
  { model }: Experiment,
  { classes, name, size }: DataDescription
): Effect.fn.Return<Network, RunError> {
  if (model.classes !== undefined && model.classes < classes.length) {
    return yield* new RunError({
      reason: "DoesNotFit",
      message: `model.classes is ${model.classes}, but ${name} has ${classes.length} classes`
    })
  }
  const { models } = yield* Registry
  const network = makeNetwork(model, { classes: classes.length, size }, models)
  const { patches } = network
  if (patches !== undefined && Math.min(patches.height, patches.width) < 1) {
    return yield* new RunError({
      reason: "DoesNotFit",
      message: `model.patchSize is more than the side of ${name}'s images of ${size.height}×${size.width} pixels`
    })
  }
  return network
})

/**
 * Images as a run of the program takes them: a whole batch, or a part where gradients are accumulated, or a replica's
 * share of that.
 */
export const imagesOf = (
  { train }: Experiment,
  { mean, size, std }: DataDescription,
  replicas = 1
): Images => ({
  size,
  batchSize: train.batchSize / (train.gradientAccumulationSteps * replicas),
  mean,
  std
})

/** What of a network's start depends on images, computed from training images that are drawn. */
const weightsOfImages = (
  dataInit: NonNullable<Network["dataInit"]>,
  seed: number,
  dataset: LoadedDataset
): TensorRecord => {
  const { images, indices } = dataset.train
  const bytes = images.height * images.width * 3
  // In order, images may be sorted by class.
  const chosen = shuffle(indices.slice(), draws(seed, "images to start from")).subarray(0, dataInit.images)
  const pixels = new Float32Array(chosen.length * bytes)
  chosen.forEach((image, i) => {
    const own = images.pixels.subarray(image * bytes, (image + 1) * bytes)
    normalize(own, dataset.mean, dataset.std, pixels.subarray(i * bytes, (i + 1) * bytes))
  })
  return dataInit.values(float32([chosen.length, images.height, images.width, 3], pixels))
}

/** A network's starting weights: those of its seed, of training images, and before all `given` ones. */
export const initialWeights = (
  network: Network,
  seed: number,
  dataset: LoadedDataset,
  given: TensorRecord = {}
): TensorRecord => ({
  ...network.init(seed),
  ...(network.dataInit && weightsOfImages(network.dataInit, seed, dataset)),
  ...given
})
