/**
 * The training loop: epochs of steps, evaluations between them, checkpoints along the way. Whatever stops it, a
 * run that is continued from its last checkpoint ends with the same bits as one that was never stopped.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Batch } from "../Augment.ts"
import { endsCycle, learningRateAt } from "../Config/Schedule.ts"
import { judged } from "./Averages/Averages.ts"
import { averageDecay } from "./Averages/Ema.ts"
import { modelsAveraged } from "./Averages/Swa.ts"
import { epochMetrics, evaluateEpoch, type Run, stepsPerEpoch, weightsOf } from "./Epoch.ts"
import { lookaheadRate } from "./Optimizer/Lookahead.ts"
import { type Counters, START } from "./Run/Counters.ts"
import { appendMetrics } from "./Run/Metrics.ts"
import { costOfEpochs, scaleAt } from "./Step/Resize.ts"

/** The loss became NaN or infinite. */
export class NonFiniteLoss extends Data.TaggedError("NonFiniteLoss")<{
  readonly step: number
  readonly message: string
}> {}

const secondsSince = (start: number): number => (performance.now() - start) / 1000

/** Trains from `start` to the last epoch, and gives where it stands then. */
export const runEpochs = Effect.fn("runEpochs")(function* (run: Run, start: Counters) {
  const { checkpoints, directory, experiment, program, progress } = run
  const { train } = experiment
  const steps = stepsPerEpoch(run)
  const resizing = train.progressiveResizing ?? []
  const length = { stepsPerEpoch: steps, steps: train.epochs * steps }
  let counters = start
  let saved: Counters | undefined
  let lastSave = performance.now()

  const save = Effect.gen(function* () {
    if (counters === saved || counters === start) return
    const best = counters.best && { best: counters.best.step }
    const state = { step: counters.step, tensors: yield* program.read, counters, ...best }
    yield* checkpoints.save(state, { keep: train.keep })
    saved = counters
    lastSave = performance.now()
  }).pipe(Effect.uninterruptible)

  const step = Effect.fnUntraced(function* (batch: Batch, waited: number) {
    const before = performance.now()
    const { epoch } = counters
    const scale = scaleAt(resizing, epoch)
    const position = { epoch, step: counters.batch, stepsPerEpoch: steps, epochs: train.epochs }
    const learningRate = learningRateAt(train.schedule, train.learningRate, position)
    const { correct, gradientNorm, loss } = yield* program.step(batch, {
      step: counters.step,
      learningRate,
      averageDecay: averageDecay(train.ema?.decay ?? 0, counters.step),
      lookaheadRate: train.lookahead ? lookaheadRate(train.lookahead, counters.step + 1, length) : 0,
      scale
    })
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
      const good = (saved ?? start).step
      return yield* new NonFiniteLoss({
        step: counters.step + 1,
        message: `the loss or its gradient is not finite at step ${counters.step + 1} (epoch ${epoch + 1}): lower train.learningRate or set train.clipGradNorm; ${good === 0 ? "no checkpoint had been saved yet" : `the last good checkpoint, of step ${good}, is kept in ${directory}`}`
      })
    }
    const seconds = waited + secondsSince(before)
    counters = {
      ...counters,
      step: counters.step + 1,
      batch: counters.batch + 1,
      lossSum: counters.lossSum + loss,
      correctSum: counters.correctSum + correct,
      epochSeconds: counters.epochSeconds + seconds,
      waitSeconds: counters.waitSeconds + waited,
      seconds: counters.seconds + seconds
    }
    progress.step({
      epoch,
      epochs: train.epochs,
      step: counters.batch,
      stepsPerEpoch: steps,
      loss,
      accuracy: correct / train.batchSize,
      learningRate,
      images: train.batchSize,
      cost: scale ** 2,
      costLeft:
        scale ** 2 * (steps - counters.batch) + steps * costOfEpochs(resizing, epoch + 1, train.epochs)
    })
  }, Effect.uninterruptible)

  /** Takes the epoch's weights into their mean, if it is their turn and they are not in it yet. */
  const average = Effect.gen(function* () {
    const due = train.swa === undefined ? 0 : modelsAveraged(train.swa, counters.epoch + 1)
    if (due === counters.averaged) return
    yield* program.average(due)
    counters = { ...counters, averaged: due }
  }).pipe(Effect.uninterruptible)

  /** Evaluates, writes the epoch's line, keeps the weights if they are the best, and saves. */
  const endEpoch = Effect.gen(function* () {
    const before = performance.now()
    yield* average
    const measured = yield* evaluateEpoch(run, counters)
    const accuracy = measured[judged(train)]?.accuracy
    const better = accuracy !== undefined && (counters.best === null || accuracy > counters.best.accuracy)
    yield* Effect.gen(function* () {
      const seconds = secondsSince(before)
      const metrics = epochMetrics(run, counters, measured, seconds)
      const { epoch, step } = metrics
      yield* appendMetrics(directory, metrics)
      const snapshot = endsCycle(train.schedule, epoch)
      if (better || snapshot) {
        const tensors = weightsOf(run, yield* program.read)
        if (better) yield* checkpoints.saveBest({ step, tensors, counters: { epoch, accuracy } })
        if (snapshot) yield* checkpoints.saveSnapshot({ step, tensors, counters: { epoch } })
      }
      counters = {
        ...START,
        step,
        epoch,
        seconds: counters.seconds + seconds,
        averaged: counters.averaged,
        best: better ? { epoch, step, accuracy } : counters.best
      }
      yield* save
      progress.epoch(metrics)
    }).pipe(Effect.uninterruptible)
  })

  const epoch = Effect.gen(function* () {
    let ready = performance.now()
    yield* Stream.runForEach(
      run.augmenter.epoch({ epoch: counters.epoch, from: counters.batch }),
      Effect.fnUntraced(function* (batch) {
        yield* step(batch, secondsSince(ready))
        run.augmenter.recycle(batch)
        if (secondsSince(lastSave) > 60 * train.saveMinutes) yield* save
        // A signal is delivered only when Node's event loop turns.
        yield* Effect.yieldNow
        ready = performance.now()
      })
    )
    yield* endEpoch
  })

  yield* Effect.whileLoop({
    while: () => counters.epoch < train.epochs,
    body: () => epoch,
    step: () => {}
  }).pipe(Effect.onInterrupt(() => save))
  return counters
})
