/**
 * A soup: one network with the mean of several weights. Wortsman et al., "Model soups: averaging weights of multiple
 * fine-tuned models improves accuracy without increasing inference time", ICML 2022 (the uniform soup). Batch
 * statistics are measured anew, because those of the mean are the mean of nothing.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { makeAugmenter } from "../Augment.ts"
import { Dataset, type LoadedDataset } from "../Data.ts"
import { Device } from "../Device.ts"
import { Registry, stepsFor } from "../Registry.ts"
import { float32, int32, scalar, type TensorRecord, uint8 } from "../Tensor/HostTensor.ts"
import { raw } from "../Train/Averages/Averages.ts"
import { precisionOf } from "../Train/Probe/Precision.ts"
import { imagesOf } from "../Train/Start/Network.ts"
import type { TrainedNetwork } from "../Train/Start/Trained.ts"
import { statisticsEntry } from "../Train/Step/AverageEntries.ts"
import { seedState } from "../Train/Step/EntryPoints.ts"
import { EnsembleError } from "./Errors.ts"

/** Adds the n-th weights (from 1) to a mean of those before them. */
const addTo = (mean: TensorRecord, weights: TensorRecord, n: number): TensorRecord =>
  Object.fromEntries(
    Object.entries(mean).map(([name, { data, shape }]) => {
      const added = weights[name].data
      return [
        name,
        float32(
          shape,
          Float32Array.from(data, (value, i) => value + (added[i] - value) / n)
        )
      ]
    })
  )

/** Whether two networks have the same tensors. */
const alike = (a: TrainedNetwork, b: TrainedNetwork): boolean => {
  const shapes = ({ network }: TrainedNetwork) =>
    JSON.stringify(network.tensors.map(({ name, shape }) => [name, shape]))
  return a.network.name === b.network.name && shapes(a) === shapes(b)
}

/** The network with batch statistics of the weights that are given, over an epoch as the first run trained on it. */
const withStatistics = Effect.fnUntraced(function* (soup: TrainedNetwork, dataset: LoadedDataset) {
  const { experiment, network, weights } = soup
  const images = imagesOf(experiment, soup.dataset)
  const { batchSize, size } = images
  const device = yield* Device
  const program = yield* device.compile(
    { ...weights, ...seedState(experiment.seed) },
    { statistics: statisticsEntry(network, images, raw) },
    { precision: precisionOf(experiment) }
  )
  const augmenter = yield* makeAugmenter(dataset, {
    batchSize,
    pipeline: experiment.augment,
    seed: experiment.seed,
    steps: stepsFor(yield* Registry, experiment.augment)
  })
  yield* augmenter.run({ epoch: 0, from: 0 }, (batch) =>
    program.run("statistics", {
      images: uint8([batchSize, size.height, size.width, 3], batch.images),
      share: scalar(1 / (batch.index + 1)),
      batch: int32([], Int32Array.of(batch.index))
    })
  )
  const measured = yield* program.read
  return {
    ...soup,
    weights: Object.fromEntries(network.tensors.map(({ name }) => [name, measured[name]]))
  } satisfies TrainedNetwork
}, Effect.scoped)

/** The soup of weights that are read one after another: of the parameters and of whatever else is not measured. */
export const soupOf = Effect.fnUntraced(function* <E, R>(
  sources: ReadonlyArray<Effect.Effect<TrainedNetwork, E, R>>
) {
  const dataset = yield* Effect.serviceOption(Dataset)
  if (Option.isNone(dataset)) {
    return yield* new EnsembleError({
      reason: "NoData",
      message:
        "the batch statistics of a soup are measured on its training images: it cannot do without the data set"
    })
  }
  const first = yield* sources[0]
  let weights = first.weights
  for (const [i, source] of sources.slice(1).entries()) {
    const next = yield* source
    if (!alike(first, next)) {
      return yield* new EnsembleError({
        reason: "DoesNotFit",
        message: `a soup needs weights of one network, not of ${first.network.name} and ${next.network.name}`
      })
    }
    weights = addTo(weights, next.weights, i + 2)
  }
  return yield* withStatistics({ ...first, weights }, dataset.value)
})
