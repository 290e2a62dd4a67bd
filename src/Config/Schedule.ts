/**
 * Learning-rate schedules: pure functions of the position in the run. To add one: a value here, and its name in
 * `schedules`.
 */
import * as Schema from "effect/Schema"
import { atLeast, count, nonNegative, positive, withDefault } from "./Fields.ts"
import {
  type Definition,
  definitionOf,
  type InputOf,
  type OptionsOf,
  oneOf,
  type Registered,
  type Stated,
  statedSchema
} from "./Registered.ts"

export interface Position {
  /** From 0. */
  readonly epoch: number
  /** Steps done in this epoch. */
  readonly step: number
  readonly stepsPerEpoch: number
  readonly epochs: number
}

/** An option that does not fit the length of a run, and what is expected of it. */
export interface Misfit {
  readonly option: string
  readonly expected: string
}

export interface Schedule<Options extends Registered = Registered, Input = unknown>
  extends Definition<Options, Input> {
  learningRate(options: Options, base: number, position: Position): number
  endsCycle?(options: Options, epochs: number): boolean
  misfit?(options: Options, epochs: number): Misfit | undefined
}

interface StatedSchedule<Name extends string, Fields extends Schema.Struct.Fields>
  extends Stated<Name, Fields> {
  /** The learning rate of the step at a position; `base` is the highest (`train.learningRate`). */
  readonly learningRate: (options: OptionsOf<Name, Fields>, base: number, position: Position) => number
  /** Whether a cycle has come to its lowest rate after so many epochs, so that a snapshot of the weights is kept. */
  readonly endsCycle?: (options: OptionsOf<Name, Fields>, epochs: number) => boolean
  /** What of the options could never take effect in a run of so many epochs, so that it is refused. */
  readonly misfit?: (options: OptionsOf<Name, Fields>, epochs: number) => Misfit | undefined
}

/** A schedule of one's own, or of this library: what a configuration names as `train.schedule`. */
export const defineSchedule = <const Name extends string, const Fields extends Schema.Struct.Fields>(
  stated: StatedSchedule<Name, Fields>
): Schedule<OptionsOf<Name, Fields>, InputOf<Name, Fields>> => ({ ...stated, schema: statedSchema(stated) })

/** The lowest learning rate. */
const etaMin = nonNegative.pipe(withDefault(0))
/** A number of epochs. */
const warmupEpochs = nonNegative.pipe(withDefault(0))

/** A warm-up that a run ends within. */
const longWarmup = (options: { readonly warmupEpochs: number }, epochs: number): Misfit | undefined =>
  options.warmupEpochs > epochs
    ? { option: "warmupEpochs", expected: `at most the run's ${epochs} epochs` }
    : undefined

/** From `from` to `to` along a straight line, as `progress` goes from 0 to 1. */
const line = (from: number, to: number, progress: number): number => from + (to - from) * progress

/** From `from` to `to` along half a cosine, as `progress` goes from 0 to 1. */
const halfCosine = (from: number, to: number, progress: number): number =>
  to + (from - to) * 0.5 * (1 + Math.cos(Math.PI * progress))

/** Linear warm-up from 0, then half a cosine down to `etaMin`, moving with every step. */
export const Cosine = defineSchedule({
  name: "Cosine",
  fields: { warmupEpochs, etaMin },
  learningRate: ({ etaMin, warmupEpochs }, base, { epoch, epochs, step, stepsPerEpoch }) => {
    const done = epoch * stepsPerEpoch + step
    const warmupSteps = Math.round(warmupEpochs * stepsPerEpoch)
    if (done < warmupSteps) return (base * (done + 1)) / warmupSteps
    return halfCosine(base, etaMin, (done - warmupSteps) / (epochs * stepsPerEpoch - warmupSteps))
  },
  misfit: longWarmup
})

/** The CIFAR Challenge Series' LongTrainingScheduler: the same shape, moving once an epoch. */
export const LongTraining = defineSchedule({
  name: "LongTraining",
  fields: { warmupEpochs: atLeast(0).pipe(withDefault(10)), etaMin },
  learningRate: ({ etaMin, warmupEpochs }, base, { epoch, epochs }) =>
    epoch < warmupEpochs
      ? (base * (epoch + 1)) / warmupEpochs
      : halfCosine(base, etaMin, (epoch - warmupEpochs) / (epochs - warmupEpochs)),
  misfit: longWarmup
})

const rising = Schema.Array(positive).check(
  Schema.isMinLength(1),
  Schema.makeFilter((values) => values.every((value, i) => i === 0 || value > values[i - 1]), {
    expected: "epochs in rising order"
  })
)

/** Multiplied with `gamma` after each of the epochs in `milestones` (PyTorch's MultiStepLR). */
export const Step = defineSchedule({
  name: "Step",
  fields: { milestones: rising, gamma: positive.pipe(withDefault(0.1)) },
  learningRate: ({ gamma, milestones }, base, { epoch }) =>
    base * gamma ** milestones.filter((milestone) => milestone <= epoch).length,
  misfit: ({ milestones }, epochs) =>
    milestones.some((milestone) => milestone >= epochs)
      ? { option: "milestones", expected: `epochs before the last of the run's ${epochs} is done` }
      : undefined
})

/**
 * One cycle (Smith and Topin 2017, "Super-Convergence") as PyTorch's OneCycleLR has it: from 1/`divFactor` of the
 * highest rate up to it within the share `pctStart` of the steps, then down to 1/`finalDivFactor` of where it started,
 * both along half a cosine. The momentum stays.
 */
export const OneCycle = defineSchedule({
  name: "OneCycle",
  fields: {
    pctStart: Schema.Finite.check(
      Schema.isBetween({ minimum: 0, maximum: 1, exclusiveMinimum: true, exclusiveMaximum: true })
    ).pipe(withDefault(0.3)),
    divFactor: positive.pipe(withDefault(25)),
    finalDivFactor: positive.pipe(withDefault(1e4))
  },
  learningRate: (options, base, { epoch, epochs, step, stepsPerEpoch }) => {
    const done = epoch * stepsPerEpoch + step
    const steps = epochs * stepsPerEpoch
    const start = base / options.divFactor
    const top = options.pctStart * steps - 1
    if (done < top) return halfCosine(start, base, done / top)
    return halfCosine(base, start / options.finalDivFactor, (done - top) / (steps - 1 - top))
  }
})

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

/**
 * Half a cosine down to `etaMin` over `t0` epochs, again and again, each time `tMult` times as long: SGDR
 * (Loshchilov and Hutter 2017, eq. 5).
 */
export const WarmRestarts = defineSchedule({
  name: "WarmRestarts",
  fields: { t0: count, tMult: count.pipe(withDefault(1)), etaMin },
  learningRate: ({ etaMin, t0, tMult }, base, { epoch, step, stepsPerEpoch }) => {
    const cycle = cycleAt(t0, tMult, epoch + step / stepsPerEpoch)
    return halfCosine(base, etaMin, cycle.done / cycle.length)
  },
  endsCycle: ({ t0, tMult }, epochs) => cycleAt(t0, tMult, epochs).done === 0,
  misfit: ({ t0 }, epochs) =>
    t0 > epochs ? { option: "t0", expected: `a cycle within the run's ${epochs} epochs` } : undefined
})

/**
 * A triangle: linearly from the share `startFactor` of the highest rate up to it during `warmupEpochs` epochs, then
 * down to the share `endFactor`.
 */
export const Linear = defineSchedule({
  name: "Linear",
  fields: {
    warmupEpochs,
    /** airbench's, unless given. */
    startFactor: nonNegative.pipe(withDefault(0.2)),
    endFactor: nonNegative.pipe(withDefault(0))
  },
  // As in PyTorch's LinearLR: the first step would change nothing.
  check: ({ startFactor, warmupEpochs }) =>
    warmupEpochs > 0 && startFactor === 0
      ? { path: ["startFactor"], issue: "expected more than 0, for a warm-up that begins with a step" }
      : undefined,
  misfit: longWarmup,
  learningRate: (options, base, { epoch, epochs, step, stepsPerEpoch }) => {
    const done = epoch * stepsPerEpoch + step
    const top = Math.round(options.warmupEpochs * stepsPerEpoch)
    if (done < top) return base * line(options.startFactor, 1, done / top)
    return base * line(1, options.endFactor, (done - top) / (epochs * stepsPerEpoch - top))
  }
})

export const schedules = [Cosine, LongTraining, Step, OneCycle, WarmRestarts, Linear] as const

/** The Schema of this library's schedules. */
export const ScheduleConfig = oneOf(schedules)
export type ScheduleConfig = typeof ScheduleConfig.Type | Registered
export type ScheduleInput = typeof ScheduleConfig.Encoded

/** The learning rate of the step at a position; `base` is the highest. `among` are the schedules that there are. */
export const learningRateAt = (
  schedule: ScheduleConfig,
  base: number,
  position: Position,
  among: ReadonlyArray<Schedule> = schedules
): number => definitionOf(among, schedule).learningRate(schedule, base, position)

/** Whether a cycle of warm restarts has come to its lowest rate after so many epochs. */
export const endsCycle = (
  schedule: ScheduleConfig,
  epochs: number,
  among: ReadonlyArray<Schedule> = schedules
): boolean => definitionOf(among, schedule).endsCycle?.(schedule, epochs) ?? false

/** What of a schedule's options could never take effect in a run of so many epochs. */
export const misfitOf = (
  schedule: ScheduleConfig,
  epochs: number,
  among: ReadonlyArray<Schedule> = schedules
): Misfit | undefined => definitionOf(among, schedule).misfit?.(schedule, epochs)
