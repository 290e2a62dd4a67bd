/**
 * Learning-rate schedules: pure functions of the position in the run.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const zero = Effect.succeed(0)
const rate = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))
const epochs = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))

export const ScheduleConfig = Schema.Union([
  /** Linear warm-up from 0, then half a cosine down to `minimum`, moving with every step. */
  Schema.TaggedStruct("Cosine", {
    warmup: epochs.pipe(Schema.withDecodingDefaultKey(zero)),
    minimum: rate.pipe(Schema.withDecodingDefaultKey(zero))
  }),
  /** The CIFAR Challenge Series' LongTrainingScheduler: the same shape, moving once an epoch. */
  Schema.TaggedStruct("LongTraining", {
    warmup: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).pipe(
      Schema.withDecodingDefaultKey(Effect.succeed(10))
    ),
    minimum: rate.pipe(Schema.withDecodingDefaultKey(zero))
  })
])
export type ScheduleConfig = typeof ScheduleConfig.Type

export interface Position {
  /** From 0. */
  readonly epoch: number
  /** Steps done in this epoch. */
  readonly step: number
  readonly stepsPerEpoch: number
  readonly epochs: number
}

const halfCosine = (base: number, minimum: number, progress: number): number =>
  minimum + (base - minimum) * 0.5 * (1 + Math.cos(Math.PI * progress))

/** The learning rate of the step at a position; `base` is the highest. */
export const learningRateAt = (schedule: ScheduleConfig, base: number, position: Position): number => {
  const { minimum, warmup } = schedule
  switch (schedule._tag) {
    case "Cosine": {
      const done = position.epoch * position.stepsPerEpoch + position.step
      const warmupSteps = Math.round(warmup * position.stepsPerEpoch)
      if (done < warmupSteps) return (base * (done + 1)) / warmupSteps
      const rest = position.epochs * position.stepsPerEpoch - warmupSteps
      return halfCosine(base, minimum, (done - warmupSteps) / rest)
    }
    case "LongTraining": {
      if (position.epoch < warmup) return (base * (position.epoch + 1)) / warmup
      return halfCosine(base, minimum, (position.epoch - warmup) / (position.epochs - warmup))
    }
  }
}
