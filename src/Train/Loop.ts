/**
 * The training loop: epochs of steps, evaluations between them, checkpoints along the way. Whatever stops it, a
 * run that is continued from its last checkpoint ends with the same bits as one that was never stopped.
 */
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Ref from "effect/Ref"
import type { Batch, Epochs } from "../Augment.ts"
import { costOfEpochs, scaleAt } from "../Config/Resizing.ts"
import { endsCycle, learningRateAt } from "../Config/Schedule.ts"
import { isFirst } from "../Distributed.ts"
import { message, publish, type StepProgress } from "../Events.ts"
import { toPyTorch } from "../Model/Weights/PyTorchLayout.ts"
import { averagesOf, coefficientsAt, judged } from "./Averages/Averages.ts"
import { epochMetrics, evaluateEpoch, stepsPerEpoch, weightsOf } from "./Epoch.ts"
import { observeEpoch, observeStep, spanned } from "./Observe.ts"
import { afterEpoch, afterStep, type Counters } from "./Run/Counters.ts"
import { SaveRequests } from "./Run/SaveRequests.ts"
import type { StepInput, StepOutput } from "./Step/TrainingProgram.ts"
import type { TrainingRun } from "./TrainingRun.ts"

/** The loss became NaN or infinite. */
export class NonFiniteLoss extends Data.TaggedError("NonFiniteLoss")<{
  readonly step: number
  readonly message: string
}> {}

/** What the loop keeps. */
interface Standing {
  readonly counters: Counters
  /** The counters of the last checkpoint, or those that the loop began with. */
  readonly saved: Counters
  /** When that was, in milliseconds of the `Clock`. */
  readonly savedAt: number
}

interface Loop {
  readonly run: TrainingRun
  /** Whether this replica is to ask all to stop after their next step. */
  readonly stop: { asked: boolean }
  readonly standing: Ref.Ref<Standing>
}

/** Seconds of the machine's own time, which measures speed whatever the program's `Clock` says. */
const secondsSince = (start: number): number => (performance.now() - start) / 1000

const setCounters = ({ standing }: Loop, counters: Counters): Effect.Effect<void> =>
  Ref.update(standing, (before) => ({ ...before, counters }))

/** Saves where the run stands, unless that is saved already. */
const save = Effect.fnUntraced(function* ({ run, standing }: Loop) {
  const { counters, saved } = yield* Ref.get(standing)
  // Where others are lost, some of the last step's updates may have been made.
  if (counters === saved || !isFirst(run.replicas) || (yield* run.replicas.isLost)) return
  const best = counters.best && { best: counters.best.step }
  const tensors = toPyTorch(run.network, yield* run.program.read)
  const state = { step: counters.step, tensors, counters, ...best }
  const saving = run.folder.checkpoints.save(state, { keep: run.experiment.train.keep })
  yield* saving.pipe(spanned("checkpoint", { step: counters.step, kind: "step" }))
  yield* Ref.set(standing, { counters, saved: counters, savedAt: yield* Clock.currentTimeMillis })
  yield* publish({ _tag: "CheckpointSaved", step: counters.step, kind: "step" })
}, Effect.uninterruptible)

/** Saves within an epoch, once `saveMinutes` have gone by since the last time. */
const saveInTime = Effect.fnUntraced(function* (loop: Loop) {
  const { savedAt } = yield* Ref.get(loop.standing)
  const minutes = ((yield* Clock.currentTimeMillis) - savedAt) / 60_000
  if (minutes > loop.run.experiment.train.saveMinutes) yield* save(loop)
})

/** Saves where somebody asks for it. */
const saveIfAsked = Effect.fnUntraced(function* (loop: Loop) {
  if (!(yield* SaveRequests).take()) return
  yield* save(loop)
  const { counters } = yield* Ref.get(loop.standing)
  yield* message(`asked to save: the state after step ${counters.step} is saved, and the training goes on`)
})

/** What the step that follows is given besides its batch. */
const stepInputOf = (run: TrainingRun, { batch, epoch, step }: Counters): StepInput => {
  const { train } = run.experiment
  const { epochs, learningRate, progressiveResizing = [], schedule } = train
  const steps = stepsPerEpoch(run)
  return {
    step,
    learningRate: learningRateAt(
      schedule,
      learningRate,
      {
        epoch,
        step: batch,
        stepsPerEpoch: steps,
        epochs
      },
      run.registry.schedules
    ),
    coefficients: coefficientsAt(train, { step, stepsPerEpoch: steps, steps: epochs * steps }),
    scale: scaleAt(progressiveResizing, epoch)
  }
}

/** What is told of a step; `counters` are those after it. */
const progressOf = (
  run: TrainingRun,
  { batch, epoch }: Counters,
  { learningRate, scale }: StepInput,
  { correct, loss }: StepOutput
): StepProgress => {
  const { batchSize, epochs, progressiveResizing = [] } = run.experiment.train
  const steps = stepsPerEpoch(run)
  const left = scale ** 2 * (steps - batch) + steps * costOfEpochs(progressiveResizing, epoch + 1, epochs)
  return {
    epoch,
    epochs,
    step: batch,
    stepsPerEpoch: steps,
    loss,
    accuracy: correct / batchSize,
    learningRate,
    images: batchSize,
    cost: scale ** 2,
    costLeft: left
  }
}

const nonFinite = ({ folder }: TrainingRun, { counters, saved }: Standing): NonFiniteLoss => {
  const step = counters.step + 1
  const good =
    saved.step === 0
      ? "no checkpoint had been saved yet"
      : `the last good checkpoint, of step ${saved.step}, is kept in ${folder.directory}`
  return new NonFiniteLoss({
    step,
    message: `the loss or its gradient is not finite at step ${step} (epoch ${counters.epoch + 1}): lower train.learningRate or set train.clipGradNorm; ${good}`
  })
}

/** One step of the optimiser; `waited` is how long the batch was waited for, in seconds. Gives whether replicas stop. */
const takeStep = Effect.fnUntraced(function* (loop: Loop, batch: Batch, waited: number) {
  const before = performance.now()
  const { run, standing } = loop
  const now = yield* Ref.get(standing)
  const input = { ...stepInputOf(run, now.counters), stop: loop.stop.asked }
  const { epoch, step } = now.counters
  const output = yield* run.program.step(batch, input).pipe(spanned("step", { epoch, step }))
  const { correct, gradientNorm, loss } = output
  if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) return yield* nonFinite(run, now)
  const seconds = waited + secondsSince(before)
  const counters = afterStep(now.counters, { loss, correct, seconds, waited })
  yield* setCounters(loop, counters)
  run.replicas.at(counters.step)
  const told = progressOf(run, counters, input, output)
  yield* observeStep({ ...told, seconds, waited })
  yield* publish({ _tag: "Step", ...told })
  return output.stop ?? false
}, Effect.uninterruptible)

/** Takes the epoch's weights into the averages whose turn it is, if they are not in them yet. */
const average = Effect.fnUntraced(function* (loop: Loop) {
  const { train } = loop.run.experiment
  for (const { afterEpoch, name } of averagesOf(train)) {
    const { counters } = yield* Ref.get(loop.standing)
    const { [name]: done = 0, ...others } = counters.averaged
    const due = afterEpoch?.count(counters.epoch + 1) ?? 0
    if (due === done) continue
    yield* loop.run.program.average(name, due)
    yield* setCounters(loop, { ...counters, averaged: { ...others, [name]: due } })
  }
}, Effect.uninterruptible)

/** Writes the epoch's line, keeps the weights if they are the best or a cycle ends, and saves. */
const keepEpoch = Effect.fnUntraced(function* (
  loop: Loop,
  measured: Effect.Success<ReturnType<typeof evaluateEpoch>>,
  before: number
) {
  const { run, standing } = loop
  const { experiment, folder, network, program } = run
  const { counters } = yield* Ref.get(standing)
  const seconds = secondsSince(before)
  const metrics = epochMetrics(run, counters, measured, seconds)
  const { epoch, step } = metrics
  yield* folder.appendMetrics(metrics)
  const accuracy = measured[judged(experiment.train)]?.accuracy
  const better = accuracy !== undefined && (counters.best === null || accuracy > counters.best.accuracy)
  const snapshot = endsCycle(experiment.train.schedule, epoch, run.registry.schedules)
  if ((better || snapshot) && isFirst(run.replicas)) {
    const tensors = toPyTorch(network, weightsOf(run, yield* program.read))
    if (better) {
      yield* folder.checkpoints.saveBest({ step, tensors, counters: { epoch, accuracy } })
      yield* publish({ _tag: "CheckpointSaved", step, kind: "best" })
    }
    if (snapshot) {
      yield* folder.checkpoints.saveSnapshot({ step, tensors, counters: { epoch } })
      yield* publish({ _tag: "CheckpointSaved", step, kind: "snapshot" })
    }
  }
  yield* setCounters(loop, afterEpoch(counters, seconds, better ? { epoch, step, accuracy } : counters.best))
  yield* save(loop)
  yield* observeEpoch(accuracy)
  yield* publish({ _tag: "Epoch", metrics })
}, Effect.uninterruptible)

const endEpoch = Effect.fnUntraced(function* (loop: Loop) {
  const before = performance.now()
  yield* average(loop)
  const { counters } = yield* Ref.get(loop.standing)
  const { epoch } = counters
  const measured = yield* evaluateEpoch(loop.run, counters, saveIfAsked(loop)).pipe(
    spanned("evaluate", { epoch })
  )
  yield* keepEpoch(loop, measured, before)
})

/** Takes the steps that are left of an epoch, and ends it. */
const runEpoch = Effect.fnUntraced(function* (loop: Loop, epochs: Epochs) {
  let ready = performance.now()
  yield* epochs.run(
    Effect.fnUntraced(function* (batch) {
      if (yield* takeStep(loop, batch, secondsSince(ready))) {
        yield* loop.run.replicas.closing
        return yield* Effect.interrupt
      }
      yield* saveIfAsked(loop)
      yield* saveInTime(loop)
      // A signal is delivered only when Node's event loop turns.
      yield* Effect.yieldNow
      ready = performance.now()
    })
  )
  yield* endEpoch(loop)
})

/**
 * Runs epochs so that an interruption asks all replicas to stop after their next step, which all take: one that left the
 * others in the middle of it would be lost to them.
 */
const stoppedTogether = <A, E, R>({ run, stop }: Loop, epochs: Effect.Effect<A, E, R>) =>
  run.replicas.share === undefined
    ? epochs
    : Effect.flatMap(Effect.forkChild(epochs), (fiber) =>
        Effect.onInterrupt(Fiber.join(fiber), () => {
          stop.asked = true
          return Fiber.await(fiber)
        })
      )

/** Trains from `start` to the last epoch, and gives where it stands then. Interrupted, it saves where it stands. */
export const runEpochs = Effect.fn("runEpochs")(function* (run: TrainingRun, start: Counters) {
  const savedAt = yield* Clock.currentTimeMillis
  const standing = yield* Ref.make<Standing>({ counters: start, saved: start, savedAt })
  const loop: Loop = { run, standing, stop: { asked: false } }
  const counters = Effect.map(Ref.get(standing), ({ counters }) => counters)
  const goesOn = Effect.map(counters, ({ epoch }) => epoch < run.experiment.train.epochs)
  const rest = Effect.gen(function* () {
    const range = { epoch: start.epoch, from: start.batch, until: run.experiment.train.epochs }
    const epochs = yield* run.augmenter.open(range)
    while (yield* goesOn) {
      const { epoch } = yield* counters
      yield* runEpoch(loop, epochs).pipe(spanned("epoch", { epoch }))
    }
  }).pipe(
    Effect.scoped,
    Effect.onInterrupt(() => save(loop))
  )
  yield* stoppedTogether(loop, rest)
  return yield* counters
})
