/** Ways of making batches, which a stream can change between two batches. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AugmentError } from "../Errors.ts"
import type { BatchArrays, BatchTask } from "./MakeBatch.ts"

/** Makes batches. */
export interface Maker {
  /** The arrays are the caller's own until they are handed back. */
  readonly make: (task: BatchTask) => Effect.Effect<BatchArrays, AugmentError>
  /** Hands a batch's arrays back, for a later batch. */
  readonly recycle: (batch: BatchArrays) => void
}

export interface Way {
  /** Batches that are made at a time; 0 for a maker that keeps the calling thread busy. */
  readonly concurrency: number
  /** Gives what makes them, which lasts as long as the scope. */
  readonly maker: Effect.Effect<Pick<Maker, "make">, AugmentError, Scope.Scope>
}

export interface Ways {
  /** The way in which the next batch is to be made. */
  readonly current: () => Way
  /** To be run as each batch is taken; it may change the way. */
  readonly taken: Effect.Effect<void>
}

/** One way for all batches. */
export const always = (maker: Pick<Maker, "make">, concurrency: number): Ways => {
  const way = { concurrency, maker: Effect.succeed(maker) }
  return { current: () => way, taken: Effect.void }
}
