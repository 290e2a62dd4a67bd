/** What is done at the end of an epoch: the mean of the weights, evaluations, and the epoch's line of numbers. */
import * as Effect from "effect/Effect"
import { batchesPerEpoch } from "../Augment.ts"
import { learningRateAt } from "../Config/Schedule.ts"
import type { WeightsName } from "../Config.ts"
import type { EpochMetrics } from "../Events.ts"
import type { TensorRecord } from "../Tensor/HostTensor.ts"
import { evaluatedOf, weightsKept } from "./Averages/Averages.ts"
import { labelsOf, predict, type Shared } from "./Evaluate/Logits.ts"
import { type Measures, measure } from "./Evaluate/Measures.ts"
import type { Counters } from "./Run/Counters.ts"
import type { TrainingRun } from "./TrainingRun.ts"

export const stepsPerEpoch = ({ dataset, experiment }: TrainingRun): number =>
  batchesPerEpoch(dataset.train.indices.length, experiment.train.batchSize)

/** How evaluations of a run are shared by replicas, where there are several. */
export const sharedBy = ({ program: { sum }, replicas: { share } }: TrainingRun): Shared | undefined =>
  share && { share, sum }

/** Measures of the weights that were evaluated. */
export type Measured = Partial<Readonly<Record<WeightsName, Measures>>>

/** Measures the batch statistics of averaged weights on the epoch's batches, augmented as they were trained on. */
const measureStatistics = <E, R>(
  run: TrainingRun,
  weights: WeightsName,
  epoch: number,
  between: Effect.Effect<void, E, R>
) =>
  run.augmenter.run({ epoch, from: 0 }, (batch) =>
    Effect.andThen(run.program.measureStatistics(weights, batch), Effect.andThen(between, Effect.yieldNow))
  )

/** Evaluates on the validation split what the run keeps, where it is time to do so; `between` is done between batches. */
export const evaluateEpoch = Effect.fnUntraced(function* <E, R>(
  run: TrainingRun,
  { averaged, epoch }: Counters,
  between: Effect.Effect<void, E, R>
) {
  const { dataset, experiment, images, network, program } = run
  const { train } = experiment
  const last = epoch + 1 === train.epochs
  if (!last && (epoch + 1) % train.evaluateEvery !== 0) return {}
  const measured: Record<WeightsName, Measures> = {}
  for (const { afterEpoch, name: weights, refreshStatistics } of evaluatedOf(train)) {
    if (afterEpoch !== undefined && !averaged[weights]) continue
    const validates = dataset.validation.indices.length > 0
    if (refreshStatistics && (validates || last)) yield* measureStatistics(run, weights, epoch, between)
    if (!validates) continue
    const { batchSize } = images
    const options = { batchSize, classes: network.classes, shared: sharedBy(run) }
    const classify = program.classify(weights)
    const logits = yield* predict(dataset.validation, options, (images) =>
      Effect.andThen(between, classify(images))
    )
    measured[weights] = measure(logits.data, labelsOf(dataset.validation), network.classes)
  }
  return measured satisfies Measured
})

/** The line of an epoch. `seconds` is what its end has taken. */
export const epochMetrics = (
  run: TrainingRun,
  counters: Counters,
  measured: Measured,
  seconds: number
): EpochMetrics => {
  const { train } = run.experiment
  const steps = stepsPerEpoch(run)
  const images = steps * train.batchSize
  const { epoch } = counters
  const position = { epoch, step: steps - 1, stepsPerEpoch: steps, epochs: train.epochs }
  return {
    epoch: epoch + 1,
    step: counters.step,
    lr: learningRateAt(train.schedule, train.learningRate, position, run.registry.schedules),
    trainLoss: counters.lossSum / steps,
    trainAccuracy: counters.correctSum / images,
    valLoss: measured.raw?.loss ?? null,
    accuracy: Object.fromEntries(
      weightsKept(train).map((weights) => [weights, measured[weights]?.accuracy ?? null])
    ),
    imagesPerSecond: images / counters.epochSeconds,
    seconds: counters.epochSeconds + seconds,
    waitShare: counters.waitSeconds / counters.epochSeconds
  }
}

/** Weights and averages, without what only training needs. */
export const weightsOf = ({ experiment, network }: TrainingRun, state: TensorRecord): TensorRecord =>
  Object.fromEntries(
    evaluatedOf(experiment.train).flatMap(({ keptAs }) =>
      network.tensors.map(({ name }) => [keptAs(name), state[keptAs(name)]])
    )
  )
