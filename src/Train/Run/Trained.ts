/** What came out of a run, or of its course so far: its network with the weights that were kept. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type CheckpointName, Checkpoints } from "../../Checkpoint.ts"
import type { Experiment, WeightsName } from "../../Config.ts"
import type { LoadedDataset } from "../../Data.ts"
import type { Network } from "../../Model/Network.ts"
import type { TensorRecord } from "../../Tensor/HostTensor.ts"
import { judged, keptAs, weightsKept } from "../Averages/Averages.ts"
import { isFinished } from "./Result.ts"
import { type DataDescription, RunError, readRun } from "./RunConfig.ts"
import { networkFor } from "./Start.ts"

export interface TrainedNetwork {
  readonly experiment: Experiment
  /** What it was trained on. */
  readonly dataset: DataDescription
  readonly network: Network
  /** By the network's own names, in device layouts. */
  readonly weights: TensorRecord
  /** Steps after which they were kept. */
  readonly step: number
}

/** Which of a run's weights. */
export interface WeightsChoice {
  /** Those that the run was judged by unless given. */
  readonly weights?: WeightsName | undefined
  /** The best ones unless given, or the newest where none were selected. */
  readonly checkpoint?: CheckpointName | undefined
}

/**
 * The network of the run in a folder, with weights that it has kept.
 *
 * @errors RunError where there are no such weights
 */
export const readTrained = Effect.fn("readTrained")(function* (
  directory: string,
  { checkpoint: name, weights: kind }: WeightsChoice = {}
) {
  const checkpoints = yield* Checkpoints
  const fail = (what: string) => new RunError({ message: `the run in ${directory} ${what}` })
  const { dataset, experiment } = yield* readRun(directory)
  const kept = weightsKept(experiment.train)
  const chosen = kind ?? judged(experiment.train)
  if (!kept.includes(chosen)) {
    return yield* fail(`has no ${chosen} weights: use --weights ${kept.join(" or ")}`)
  }
  const network = yield* networkFor(experiment, dataset)
  let found = yield* checkpoints.find(name ?? "best")
  let from = name ?? "best"
  if (name === undefined && Option.isNone(found.checkpoint)) {
    from = "latest"
    const { checkpoint, skipped } = yield* checkpoints.find(from)
    found = { checkpoint, skipped: [...found.skipped, ...skipped] }
  }
  if (Option.isNone(found.checkpoint)) {
    const [damaged] = found.skipped
    const which =
      typeof name === "number" ? `snapshot ${name}` : `${name === undefined ? "" : `${name} `}checkpoint`
    return yield* fail(damaged === undefined ? `has no ${which} yet` : `has no whole ${which}: ${damaged}`)
  }
  if (chosen === "swa" && from !== "best" && !(from === "latest" && isFinished(directory))) {
    return yield* fail("gives its swa weights their batch statistics at its end only: use --weights raw")
  }
  const { step, tensors } = found.checkpoint.value
  const weights = Object.fromEntries(network.tensors.map(({ name }) => [name, tensors[keptAs(chosen, name)]]))
  return { experiment, dataset, network, weights, step } satisfies TrainedNetwork
})

/** Fails where a run was trained on other data. */
export const checkSameData = (
  directory: string,
  trainedOn: DataDescription,
  dataset: LoadedDataset
): Effect.Effect<void, RunError> =>
  trainedOn.fingerprint === dataset.fingerprint
    ? Effect.void
    : Effect.fail(
        new RunError({
          message: `the run in ${directory} was trained on ${trainedOn.name} (${trainedOn.fingerprint.slice(0, 12)}), but this data is ${dataset.name} (${dataset.fingerprint.slice(0, 12)})`
        })
      )
