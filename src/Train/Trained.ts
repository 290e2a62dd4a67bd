/** What came out of a run, or of its course so far: its network with the weights that were kept. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Checkpoints } from "../Checkpoint.ts"
import type { Experiment } from "../Config.ts"
import type { LoadedDataset } from "../Data.ts"
import type { Network } from "../Model/Network.ts"
import type { TensorRecord } from "../Tensor.ts"
import { isFinished } from "./Result.ts"
import { RunError, readRun } from "./Run.ts"
import { networkFor } from "./Start.ts"
import { judged, keptAs, type WeightsName, weightsKept } from "./Weights.ts"

export interface TrainedNetwork {
  readonly experiment: Experiment
  readonly network: Network
  /** By the network's own names, in device layouts. */
  readonly weights: TensorRecord
  /** Steps after which they were kept. */
  readonly step: number
}

/**
 * The network of the run in a folder: its best weights, or the newest where none were selected. `kind` is the one
 * that the run was judged by unless given.
 *
 * @errors RunError where the data is other than it was trained on, or there are no such weights
 */
export const readTrained = Effect.fn("readTrained")(function* (
  directory: string,
  dataset: LoadedDataset,
  kind?: WeightsName
) {
  const checkpoints = yield* Checkpoints
  const fail = (what: string) => new RunError({ message: `the run in ${directory} ${what}` })
  const { dataset: trainedOn, experiment } = yield* readRun(directory)
  if (trainedOn.fingerprint !== dataset.fingerprint) {
    return yield* fail(
      `was trained on ${trainedOn.name} (${trainedOn.fingerprint.slice(0, 12)}), but this data is ${dataset.name} (${dataset.fingerprint.slice(0, 12)})`
    )
  }
  const kept = weightsKept(experiment.train)
  const chosen = kind ?? judged(experiment.train)
  if (!kept.includes(chosen)) {
    return yield* fail(`has no ${chosen} weights: use --weights ${kept.join(" or ")}`)
  }
  const network = yield* networkFor(experiment, dataset)
  const best = yield* checkpoints.best
  const { checkpoint, skipped } = Option.isSome(best.checkpoint) ? best : yield* checkpoints.latest
  if (Option.isNone(checkpoint)) {
    const damaged = [...best.skipped, ...skipped].at(0)
    return yield* fail(
      damaged === undefined ? "has no checkpoint yet" : `has no whole checkpoint: ${damaged}`
    )
  }
  if (chosen === "swa" && Option.isNone(best.checkpoint) && !isFinished(directory)) {
    return yield* fail("gives its swa weights their batch statistics at its end only: use --weights raw")
  }
  const { step, tensors } = checkpoint.value
  const weights = Object.fromEntries(network.tensors.map(({ name }) => [name, tensors[keptAs(chosen, name)]]))
  return { experiment, network, weights, step } satisfies TrainedNetwork
})
