/** The network that came out of a run, with what it has to be given and what it says. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Checkpoints } from "../Checkpoint.ts"
import { Dataset, type PerChannel } from "../Data.ts"
import type { Size } from "../Model/Layer.ts"
import type { Network } from "../Model/Network.ts"
import type { ModelConfig } from "../Model.ts"
import type { TensorRecord } from "../Tensor.ts"
import { isFinished } from "../Train/Result.ts"
import { readRun } from "../Train/Run.ts"
import { networkFor } from "../Train/Start.ts"
import { judged, keptAs } from "../Train/Weights.ts"
import { ServeError } from "./Errors.ts"

export interface Served {
  readonly config: ModelConfig
  readonly network: Network
  /** By the network's own names, in device layouts. */
  readonly weights: TensorRecord
  /** What each logit stands for; `class N` where the network has more of them than the data. */
  readonly classes: ReadonlyArray<string>
  readonly size: Size
  /** Of the channels, for pixels in [0, 1]. */
  readonly mean: PerChannel
  readonly std: PerChannel
}

/**
 * The network of a run with the weights that its result is about: the best ones, or the newest where none were
 * selected; averages where the run has them.
 */
export const openRun = Effect.fn("openRun")(function* (directory: string) {
  const dataset = yield* Dataset
  const checkpoints = yield* Checkpoints
  const { dataset: trainedOn, experiment } = yield* readRun(directory)
  if (trainedOn.fingerprint !== dataset.fingerprint) {
    return yield* new ServeError({
      message: `the run in ${directory} was trained on ${trainedOn.name} (${trainedOn.fingerprint.slice(0, 12)}), but this data is ${dataset.name} (${dataset.fingerprint.slice(0, 12)})`
    })
  }
  const network = yield* networkFor(experiment, dataset)
  const best = yield* checkpoints.best
  const { checkpoint } = Option.isSome(best.checkpoint) ? best : yield* checkpoints.latest
  if (Option.isNone(checkpoint)) {
    return yield* new ServeError({ message: `the run in ${directory} has no checkpoint yet` })
  }
  const { tensors } = checkpoint.value
  const kept = judged(experiment.train)
  if (kept === "swa" && Option.isNone(best.checkpoint) && !isFinished(directory)) {
    return yield* new ServeError({
      message: `the averaged weights of the run in ${directory} get their batch statistics at its end, which it has not come to`
    })
  }
  const weights = Object.fromEntries(network.tensors.map(({ name }) => [name, tensors[keptAs(kept, name)]]))
  const { height, width } = dataset.train.images
  const { mean, std } = dataset
  return {
    config: experiment.model,
    network,
    weights,
    classes: Array.from({ length: network.classes }, (_, k) => dataset.classes[k] ?? `class ${k}`),
    size: { height, width },
    mean,
    std
  } satisfies Served
})
