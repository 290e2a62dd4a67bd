/** Where a run that is continued goes on: its newest whole state, which is read once, before anything is compiled. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type { Checkpoint } from "../../Checkpoint.ts"
import { decodeStrictly } from "../../Config/Decode.ts"
import type { TensorRecord } from "../../Tensor/HostTensor.ts"
import { BestEvaluation, Counters, START } from "./Counters.ts"
import { RunError } from "./RunError.ts"
import type { RunFolder } from "./RunFolder.ts"

/** Where a run stands, before any or after the last step that was saved. */
export interface Saved {
  readonly counters: Counters
  /** What was damaged or does not fit, a line each. */
  readonly told: ReadonlyArray<string>
}

/** The same with the state's tensors, in PyTorch's layouts; undefined where nothing was saved. */
export interface SavedState extends Saved {
  readonly tensors: TensorRecord | undefined
}

/** A run of which nothing was saved yet. */
export const NOTHING_SAVED: SavedState = { counters: START, told: [], tensors: undefined }

/** What a checkpoint says besides its tensors. */
const countersOf = <S extends Schema.Codec<unknown, unknown>>(
  schema: S,
  { counters, step }: Checkpoint,
  directory: string
): Effect.Effect<S["Type"], RunError> =>
  decodeStrictly(schema, counters).pipe(
    Effect.mapError((problem) => {
      const message = `the checkpoint of step ${step} of the run in ${directory} does not say where the run stands: ${problem.message}`
      return new RunError({ reason: "DamagedCheckpoint", directory, message })
    })
  )

/**
 * The best evaluation that a state speaks of, if its checkpoint is whole. Otherwise the one whose checkpoint is there,
 * or none, and a line that says so: counters and checkpoint are never of two evaluations. After the last epoch none can
 * take its place, and other weights are not measured instead.
 */
const bestOf = Effect.fnUntraced(function* (
  { best, epoch }: Counters,
  { begun, checkpoints, directory }: RunFolder["Service"]
) {
  if (best === null) return { best, told: [] }
  const { checkpoint, skipped } = yield* checkpoints.find("best")
  if (Option.isNone(checkpoint)) {
    const why = skipped[0] ?? "its best checkpoint is missing"
    if (Option.exists(begun, ({ experiment }) => epoch >= experiment.train.epochs)) {
      const message = `all epochs of the run in ${directory} are done, and the weights that were best cannot be measured: ${why}`
      return yield* new RunError({ reason: "DamagedCheckpoint", directory, message })
    }
    return { best: null, told: [`${why}; the best of the epochs from here on is kept in its place`] }
  }
  const { step } = checkpoint.value
  if (step === best.step) return { best, told: [] }
  const found = yield* countersOf(BestEvaluation, checkpoint.value, directory)
  const told = `the best checkpoint is of epoch ${found.epoch}, later than the state that the run goes on from; it is kept`
  return { best: { ...found, step }, told: [told] }
})

/**
 * Fails where a run has no state any more. A run may be killed after its first epoch's line and before its first state;
 * whatever is later was written with a state beside it, so that somebody has deleted it, and would lose the rest too.
 */
const checkUnsaved = Effect.fnUntraced(function* ({ directory, isFinished, metrics }: RunFolder["Service"]) {
  const epochs = (yield* metrics).length
  const finished = yield* isFinished
  if (epochs < 2 && !finished) return
  const has = epochs > 0 ? `numbers of ${epochs} epochs` : "a result"
  const message = `the run in ${directory} has ${has}, but no state to go on from: it is not begun anew in its place`
  return yield* new RunError({ reason: "DamagedCheckpoint", directory, message })
})

/**
 * Reads the newest whole state of a run.
 *
 * @errors RunError where every state is damaged or was deleted: the run is not begun anew in their place; or where all
 *   epochs are done, and the best checkpoint is damaged
 */
export const readSavedState = Effect.fnUntraced(function* (folder: RunFolder["Service"]) {
  const { checkpoints, directory } = folder
  const { checkpoint, skipped } = yield* checkpoints.find("latest")
  if (Option.isNone(checkpoint)) {
    if (skipped.length === 0) return yield* Effect.as(checkUnsaved(folder), NOTHING_SAVED)
    const message = `every checkpoint of the run in ${directory} is damaged, and nothing was deleted: ${skipped[0]}`
    return yield* new RunError({ reason: "DamagedCheckpoint", directory, message })
  }
  const counters = yield* countersOf(Counters, checkpoint.value, directory)
  const { best, told } = yield* bestOf(counters, folder)
  const passedOver = skipped.map((line) => `${line}; it is passed over`)
  const { tensors } = checkpoint.value
  return { counters: { ...counters, best }, told: [...passedOver, ...told], tensors } satisfies SavedState
})
