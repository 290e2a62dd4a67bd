/** Where a run stands; saved with every checkpoint. */
import * as Schema from "effect/Schema"

/** What the best checkpoint says: the epoch (from 1) whose weights it has, and their accuracy. */
export const BestEvaluation = Schema.Struct({ epoch: Schema.Int, accuracy: Schema.Finite })

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
  /** How many weights each average is of that is updated at the end of epochs, by its name. */
  averaged: Schema.Record(Schema.String, Schema.Int),
  /** The best evaluation so far, and the step of the best checkpoint, which has its weights. */
  best: Schema.NullOr(Schema.Struct({ ...BestEvaluation.fields, step: Schema.Int }))
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
  averaged: {},
  best: null
}

/** What a step adds: its batch's loss and right predictions, and its seconds, those of waiting for the batch among them. */
export interface StepTaken {
  readonly loss: number
  readonly correct: number
  readonly seconds: number
  readonly waited: number
}

export const afterStep = (counters: Counters, { correct, loss, seconds, waited }: StepTaken): Counters => ({
  ...counters,
  step: counters.step + 1,
  batch: counters.batch + 1,
  lossSum: counters.lossSum + loss,
  correctSum: counters.correctSum + correct,
  epochSeconds: counters.epochSeconds + seconds,
  waitSeconds: counters.waitSeconds + waited,
  seconds: counters.seconds + seconds
})

/** The next epoch's start. `seconds` is what the end of this one took, `best` the best evaluation up to its end. */
export const afterEpoch = (counters: Counters, seconds: number, best: Counters["best"]): Counters => ({
  ...START,
  step: counters.step,
  epoch: counters.epoch + 1,
  seconds: counters.seconds + seconds,
  averaged: counters.averaged,
  best
})
