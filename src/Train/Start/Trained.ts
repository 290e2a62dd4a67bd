/** What came out of a run, or of its course so far: its network with the weights that were kept. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type CheckpointName, judgedBy } from "../../Checkpoint.ts"
import type { Experiment, WeightsName } from "../../Config.ts"
import type { Network } from "../../Model/Network.ts"
import { fromPyTorch } from "../../Model/Weights/PyTorchLayout.ts"
import type { TensorRecord } from "../../Tensor/HostTensor.ts"
import { evaluatedAs, judged, weightsKept } from "../Averages/Averages.ts"
import type { Average } from "../Averages/Define.ts"
import type { DataDescription } from "../Run/DataDescription.ts"
import { RunError } from "../Run/RunError.ts"
import { openRun, type RunReader } from "../Run/RunFolder.ts"
import { networkFor } from "./Network.ts"

export interface TrainedNetwork {
  readonly experiment: Experiment
  /** What it was trained on. */
  readonly dataset: DataDescription
  readonly network: Network
  /** By the network's own names, in device layouts. */
  readonly weights: TensorRecord
  /** Steps after which they were kept. */
  readonly step: number
  /** A line for each damaged checkpoint that was passed over for this one. */
  readonly skipped: ReadonlyArray<string>
}

/** Which of a run's weights. */
export interface WeightsChoice {
  /** Those that the run was judged by unless given. */
  readonly weights?: WeightsName | undefined
  /** The best ones unless given, or the newest where none were selected. */
  readonly checkpoint?: CheckpointName | undefined
}

/** The checkpoint that a choice names; the newest one in place of a best one only where none was ever chosen. */
const findChosen = Effect.fnUntraced(function* (
  { checkpoints, directory }: RunReader,
  name: CheckpointName | undefined
) {
  const from = name ?? (yield* judgedBy(checkpoints))
  const { checkpoint, skipped } = yield* checkpoints.find(from)
  if (Option.isSome(checkpoint)) return { from, checkpoint: checkpoint.value, skipped }
  const which =
    typeof from === "number" ? `snapshot ${from}` : from === "best" ? "best checkpoint" : "checkpoint"
  const [damaged] = skipped
  if (damaged === undefined) {
    const message = `the run in ${directory} has no ${which} yet`
    return yield* new RunError({ reason: "NoCheckpoint", directory, message })
  }
  const message = `the run in ${directory} has no whole ${which}: ${damaged}`
  const reason = from === "best" ? "DamagedBest" : "DamagedCheckpoint"
  return yield* new RunError({ reason, directory, message })
})

const noWeights = (directory: string, what: string) =>
  new RunError({ reason: "NoWeights", directory, message: `the run in ${directory} ${what}` })

/**
 * The weights of a run by their name, or those that it was judged by.
 *
 * @errors RunError where it has none of that name
 */
export const chooseWeights = (
  directory: string,
  { train }: Experiment,
  weights: WeightsName = judged(train)
): Effect.Effect<Average, RunError> => {
  const chosen = evaluatedAs(train, weights)
  if (chosen !== undefined) return Effect.succeed(chosen)
  return Effect.fail(
    noWeights(directory, `has no ${weights} weights: it has ${weightsKept(train).join(" and ")}`)
  )
}

/** What of a network's tensors is missing in a state, or has another shape there; undefined where all fit. */
const misfit = ({ tensors }: Network, weights: TensorRecord): string | undefined => {
  for (const { name, shape } of tensors) {
    const found = weights[name]
    if (found === undefined) return `it has no ${name}`
    if (String(found.shape) !== String(shape)) return `${name} is [${found.shape}], and not [${shape}]`
  }
  return undefined
}

/**
 * The network of the run in a folder, with weights that it has kept. No other checkpoint stands in for a best one that
 * is damaged or missing.
 *
 * @errors RunError where there are no such weights
 */
export const readTrained = Effect.fn("readTrained")(function* (
  directory: string,
  { checkpoint: name, weights: kind }: WeightsChoice = {}
) {
  const run = openRun(directory)
  const { dataset, experiment } = yield* run.config
  const chosen = yield* chooseWeights(directory, experiment, kind)
  const network = yield* networkFor(experiment, dataset)
  const { checkpoint, from, skipped } = yield* findChosen(run, name)
  const complete = from === "best" || (from === "latest" && (yield* run.isFinished))
  const { keptAs, refreshStatistics } = chosen
  if (refreshStatistics && !complete) {
    return yield* noWeights(
      directory,
      `gives its ${chosen.name} weights their batch statistics at its end only`
    )
  }
  const { step, tensors } = checkpoint
  const kept = network.tensors.flatMap(({ name }) => {
    const tensor = tensors[keptAs(name)]
    return tensor === undefined ? [] : [[name, tensor] as const]
  })
  const weights = fromPyTorch(network, Object.fromEntries(kept))
  const unlike = misfit(network, weights)
  if (unlike !== undefined) {
    const message = `the checkpoint of step ${step} of the run in ${directory} is not of the network that its config.json names: ${unlike}`
    return yield* new RunError({ reason: "Unreadable", directory, message })
  }
  return { experiment, dataset, network, weights, step, skipped } satisfies TrainedNetwork
})
