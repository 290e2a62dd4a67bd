/** Where a run stands; saved with every checkpoint. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

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
  /** How many weights the mean of the weights is of. */
  averaged: Schema.Int.pipe(Schema.withDecodingDefaultKey(Effect.succeed(0))),
  /** The best evaluation so far, and the step of the best checkpoint, which is of these weights. */
  best: Schema.NullOr(Schema.Struct({ epoch: Schema.Int, step: Schema.Int, accuracy: Schema.Finite }))
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
  averaged: 0,
  best: null
}
