/**
 * Learning-rate schedules: pure functions of the position in the run.
 */
import * as Schema from "effect/Schema"
import { atLeast, count, nonNegative, positive, withDefault } from "./Fields.ts"

/** A learning rate. */
const etaMin = nonNegative.pipe(withDefault(0))
/** A number of epochs. */
const warmupEpochs = nonNegative.pipe(withDefault(0))

const rising = Schema.Array(positive).check(
  Schema.isMinLength(1),
  Schema.makeFilter((values) => values.every((value, i) => i === 0 || value > values[i - 1]), {
    expected: "epochs in rising order"
  })
)

export const ScheduleConfig = Schema.Union([
  /** Linear warm-up from 0, then half a cosine down to `etaMin`, moving with every step. */
  Schema.TaggedStruct("Cosine", { warmupEpochs, etaMin }),
  /** The CIFAR Challenge Series' LongTrainingScheduler: the same shape, moving once an epoch. */
  Schema.TaggedStruct("LongTraining", {
    warmupEpochs: atLeast(0).pipe(withDefault(10)),
    etaMin
  }),
  /** Multiplied with `gamma` after each of the epochs in `milestones` (PyTorch's MultiStepLR). */
  Schema.TaggedStruct("Step", { milestones: rising, gamma: positive.pipe(withDefault(0.1)) }),
  /**
   * One cycle (Smith and Topin 2017, "Super-Convergence") as PyTorch's OneCycleLR has it: from 1/`divFactor` of the
   * highest rate up to it within the share `pctStart` of the steps, then down to 1/`finalDivFactor` of where it started,
   * both along half a cosine. The momentum stays.
   */
  Schema.TaggedStruct("OneCycle", {
    pctStart: Schema.Finite.check(
      Schema.isBetween({ minimum: 0, maximum: 1, exclusiveMinimum: true, exclusiveMaximum: true })
    ).pipe(withDefault(0.3)),
    divFactor: positive.pipe(withDefault(25)),
    finalDivFactor: positive.pipe(withDefault(1e4))
  }),
  /**
   * Half a cosine down to `etaMin` over `t0` epochs, again and again, each time `tMult` times as long: SGDR
   * (Loshchilov and Hutter 2017, eq. 5).
   */
  Schema.TaggedStruct("WarmRestarts", { t0: count, tMult: count.pipe(withDefault(1)), etaMin }),
  /**
   * A triangle: linearly from the share `startFactor` of the highest rate up to it during `warmupEpochs` epochs, then down to
   * the share `endFactor`.
   */
  Schema.TaggedStruct("Linear", {
    warmupEpochs,
    startFactor: nonNegative.pipe(withDefault(0)),
    endFactor: nonNegative.pipe(withDefault(0))
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

/** From `from` to `to` along a straight line, as `progress` goes from 0 to 1. */
const line = (from: number, to: number, progress: number): number => from + (to - from) * progress

/** From `from` to `to` along half a cosine, as `progress` goes from 0 to 1. */
const halfCosine = (from: number, to: number, progress: number): number =>
  to + (from - to) * 0.5 * (1 + Math.cos(Math.PI * progress))

/** Epochs since the last restart, and the length of the cycle under way, where cycles grow by `tMult`. */
const cycleAt = (
  t0: number,
  tMult: number,
  epochs: number
): { readonly done: number; readonly length: number } => {
  let length = t0
  let done = epochs
  while (done >= length) {
    done -= length
    length *= tMult
  }
  return { done, length }
}

/** Whether a cycle of warm restarts has come to its lowest rate after so many epochs. */
export const endsCycle = (schedule: ScheduleConfig, epochs: number): boolean =>
  schedule._tag === "WarmRestarts" && cycleAt(schedule.t0, schedule.tMult, epochs).done === 0

/** The learning rate of the step at a position; `base` is the highest. */
export const learningRateAt = (schedule: ScheduleConfig, base: number, position: Position): number => {
  const { epoch, epochs, step, stepsPerEpoch } = position
  const done = epoch * stepsPerEpoch + step
  const steps = epochs * stepsPerEpoch
  switch (schedule._tag) {
    case "Cosine": {
      const warmupSteps = Math.round(schedule.warmupEpochs * stepsPerEpoch)
      if (done < warmupSteps) return (base * (done + 1)) / warmupSteps
      return halfCosine(base, schedule.etaMin, (done - warmupSteps) / (steps - warmupSteps))
    }
    case "LongTraining": {
      const { etaMin, warmupEpochs } = schedule
      if (epoch < warmupEpochs) return (base * (epoch + 1)) / warmupEpochs
      return halfCosine(base, etaMin, (epoch - warmupEpochs) / (epochs - warmupEpochs))
    }
    case "Step":
      return base * schedule.gamma ** schedule.milestones.filter((milestone) => milestone <= epoch).length
    case "OneCycle": {
      const start = base / schedule.divFactor
      const top = schedule.pctStart * steps - 1
      if (done < top) return halfCosine(start, base, done / top)
      return halfCosine(base, start / schedule.finalDivFactor, (done - top) / (steps - 1 - top))
    }
    case "WarmRestarts": {
      const cycle = cycleAt(schedule.t0, schedule.tMult, epoch + step / stepsPerEpoch)
      return halfCosine(base, schedule.etaMin, cycle.done / cycle.length)
    }
    case "Linear": {
      const { endFactor, startFactor, warmupEpochs } = schedule
      const top = Math.round(warmupEpochs * stepsPerEpoch)
      if (done < top) return base * line(startFactor, 1, done / top)
      return base * line(1, endFactor, (done - top) / (steps - top))
    }
  }
}
