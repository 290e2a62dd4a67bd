/**
 * The training loop: epochs of steps, evaluations between them, checkpoints along the way. Whatever stops it, a
 * run that is continued from its last checkpoint ends with the same bits as one that was never stopped.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type Batch, batchesPerEpoch, epochBatches } from "../Augment.ts"
import type { Checkpoints } from "../Checkpoint.ts"
import type { Experiment } from "../Config.ts"
import type { LoadedDataset } from "../Data.ts"
import type { Program } from "../Device.ts"
import type { Network } from "../Model/Network.ts"
import { float32, int32, scalar, type TensorRecord, uint8 } from "../Tensor.ts"
import { averageDecay } from "./Average.ts"
import { type Measures, measure } from "./Evaluation.ts"
import { appendMetrics } from "./Metrics.ts"
import { momentumOf } from "./Optimizer.ts"
import { labelsOf, predict } from "./Predict.ts"
import type { evaluationEntry, trainingEntry, WeightsName } from "./Programs.ts"
import type { Progress } from "./Progress.ts"
import { learningRateAt } from "./Schedule.ts"

/** The loss became NaN or infinite. */
export class NonFiniteLoss extends Data.TaggedError("NonFiniteLoss")<{
  readonly step: number
  readonly message: string
}> {}

/** Where a run stands; saved with every checkpoint. */
export const Counters = Schema.Struct({
  /** Steps done since the start. */
  step: Schema.Int,
  /** The epoch under way, from 0. */
  epoch: Schema.Int,
  /** Batches done of this epoch. */
  batch: Schema.Int,
  /** Sums over the batches done of this epoch. */
  lossSum: Schema.Finite,
  correctSum: Schema.Finite,
  /** Seconds of this epoch, and those of them spent waiting for batches. */
  epochSeconds: Schema.Finite,
  waitSeconds: Schema.Finite,
  /** Seconds of training and evaluation since the start. */
  seconds: Schema.Finite,
  /** The best evaluation so far. */
  best: Schema.NullOr(Schema.Struct({ epoch: Schema.Int, accuracy: Schema.Finite }))
})
export type Counters = typeof Counters.Type

export const START: Counters = {
  step: 0,
  epoch: 0,
  batch: 0,
  lossSum: 0,
  correctSum: 0,
  epochSeconds: 0,
  waitSeconds: 0,
  seconds: 0,
  best: null
}

export type TrainingProgram = Program<{
  readonly train: ReturnType<typeof trainingEntry>
  readonly raw: ReturnType<typeof evaluationEntry>
  readonly ema: ReturnType<typeof evaluationEntry>
}>

export interface LoopOptions {
  readonly experiment: Experiment
  readonly network: Network
  readonly dataset: LoadedDataset
  readonly program: TrainingProgram
  readonly checkpoints: Checkpoints["Service"]
  readonly directory: string
  readonly progress: Progress
}

const secondsSince = (start: number): number => (performance.now() - start) / 1000

/** Which weights are judged and kept as the best: the averages where they are kept. */
export const judged = ({ train }: Experiment): WeightsName => (train.ema === undefined ? "raw" : "ema")

/** Trains from `start` to the last epoch, and gives where it stands then. */
export const runEpochs = Effect.fn("runEpochs")(function* (options: LoopOptions, start: Counters) {
  const { checkpoints, dataset, directory, experiment, network, program, progress } = options
  const { seed, train } = experiment
  const { height, width } = dataset.train.images
  const stepsPerEpoch = batchesPerEpoch(dataset.train.indices.length, train.batchSize)
  let counters = start
  let saved: Counters | undefined
  let lastSave = performance.now()

  const save = Effect.gen(function* () {
    if (counters === saved || counters === start) return
    yield* checkpoints.save({ step: counters.step, tensors: yield* program.read, counters })
    saved = counters
    lastSave = performance.now()
  }).pipe(Effect.uninterruptible)

  const step = Effect.fnUntraced(function* (batch: Batch, waited: number) {
    const before = performance.now()
    const position = { epoch: counters.epoch, step: counters.batch, stepsPerEpoch, epochs: train.epochs }
    const learningRate = learningRateAt(train.schedule, train.learningRate, position)
    const result = yield* program.run("train", {
      images: uint8([train.batchSize, height, width, 3], batch.images),
      labelsA: int32([train.batchSize], batch.labelsA),
      labelsB: int32([train.batchSize], batch.labelsB),
      lambda: float32([train.batchSize], batch.lambda),
      learningRate: scalar(learningRate),
      averageDecay: scalar(averageDecay(train.ema?.decay ?? 0, counters.step)),
      step: int32([], Int32Array.of(counters.step))
    })
    const loss = result.loss.data[0]
    const correct = result.correct.data[0]
    if (!Number.isFinite(loss) || !Number.isFinite(result.gradientNorm.data[0])) {
      const good = (saved ?? start).step
      return yield* new NonFiniteLoss({
        step: counters.step + 1,
        message: `the loss or its gradient is not finite at step ${counters.step + 1} (epoch ${counters.epoch + 1}): lower train.learningRate or set train.clipNorm; ${good === 0 ? "no checkpoint had been saved yet" : `the last good checkpoint, of step ${good}, is kept in ${directory}`}`
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
      epoch: counters.epoch,
      epochs: train.epochs,
      step: counters.batch,
      stepsPerEpoch,
      loss,
      accuracy: correct / train.batchSize,
      learningRate,
      images: train.batchSize
    })
  }, Effect.uninterruptible)

  const evaluate = (weights: WeightsName) =>
    Effect.map(
      predict(dataset.validation, { batchSize: train.batchSize, classes: network.classes }, (images) =>
        Effect.map(program.run(weights, { images }), ({ logits }) => logits)
      ),
      (logits): Measures =>
        measure(logits.data as Float32Array, labelsOf(dataset.validation), network.classes)
    )

  /** Evaluates, writes the epoch's line, keeps the weights if they are the best, and saves. */
  const endEpoch = Effect.gen(function* () {
    const before = performance.now()
    const done = counters.epoch + 1
    const due = done % train.evaluateEvery === 0 || done === train.epochs
    const measured = due && dataset.validation.indices.length > 0
    const raw = measured ? yield* evaluate("raw") : undefined
    const ema = measured && train.ema !== undefined ? yield* evaluate("ema") : undefined
    const accuracy = (ema ?? raw)?.accuracy
    const better = accuracy !== undefined && (counters.best === null || accuracy > counters.best.accuracy)
    const trained = counters.epochSeconds
    yield* Effect.gen(function* () {
      const images = stepsPerEpoch * train.batchSize
      const seconds = secondsSince(before)
      const metrics = {
        epoch: done,
        step: counters.step,
        lr: learningRateAt(train.schedule, train.learningRate, {
          epoch: counters.epoch,
          step: stepsPerEpoch - 1,
          stepsPerEpoch,
          epochs: train.epochs
        }),
        trainLoss: counters.lossSum / stepsPerEpoch,
        trainAccuracy: counters.correctSum / images,
        valLoss: raw?.loss ?? null,
        valAccuracy: raw?.accuracy ?? null,
        emaAccuracy: ema?.accuracy ?? null,
        imagesPerSecond: images / trained,
        seconds: trained + seconds,
        waitShare: counters.waitSeconds / trained
      }
      yield* appendMetrics(directory, metrics)
      if (better) {
        yield* checkpoints.saveBest({
          step: counters.step,
          tensors: withoutMomentum(network, yield* program.read),
          counters: { epoch: done, accuracy }
        })
      }
      counters = {
        ...START,
        step: counters.step,
        epoch: done,
        seconds: counters.seconds + seconds,
        best: better ? { epoch: done, accuracy } : counters.best
      }
      yield* save
      progress.epoch(metrics)
    }).pipe(Effect.uninterruptible)
  })

  const epoch = Effect.gen(function* () {
    let ready = performance.now()
    yield* Stream.runForEach(
      epochBatches(
        dataset,
        { batchSize: train.batchSize, pipeline: experiment.augment, seed },
        { epoch: counters.epoch, from: counters.batch }
      ),
      Effect.fnUntraced(function* (batch) {
        yield* step(batch, secondsSince(ready))
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

/** Weights and averages without what only training needs. */
const withoutMomentum = (network: Network, state: TensorRecord): TensorRecord => {
  const momenta = new Set(network.tensors.map(({ name }) => momentumOf(name)))
  return Object.fromEntries(Object.entries(state).filter(([name]) => !momenta.has(name)))
}
