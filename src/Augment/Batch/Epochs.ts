/** Epochs of batches, each of which is lent its memory for as long as it is used. */
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { AugmentError } from "../Errors.ts"
import { type Batch, type BatchStreamOptions, batchesPerEpoch, batchStream } from "./BatchStream.ts"
import type { Maker } from "./Ways.ts"

/** A stream of epochs that is under way. */
export interface Epochs {
  /**
   * Runs an effect on each batch that is left of the epoch at hand, in order; the next epoch is at hand then, and its
   * first batches are being made. A batch's arrays are valid until its effect is done.
   */
  readonly run: <A, E, R>(
    use: (batch: Batch) => Effect.Effect<A, E, R>
  ) => Effect.Effect<void, E | AugmentError, R>
}

export interface EpochsOptions extends BatchStreamOptions, Pick<Maker, "recycle"> {}

/** Opens the stream of a range of batches. Batches are made ahead until the scope closes. */
export const openEpochs = Effect.fnUntraced(function* (
  options: EpochsOptions
): Effect.fn.Return<Epochs, never, Scope.Scope> {
  const { batchSize, from, images, recycle } = options
  const pull = yield* Stream.toPull(batchStream(options))
  const batches = batchesPerEpoch(images, batchSize)
  let left = batches - from
  let pulled: ReadonlyArray<Batch> = []
  const next = Effect.suspend(() => (pulled.length > 0 ? Effect.succeed(pulled) : pull)).pipe(
    Effect.map(([batch, ...others]) => {
      pulled = others
      left--
      return batch
    })
  )
  return {
    run: (use) =>
      Effect.gen(function* () {
        while (left > 0) {
          const batch = yield* next
          yield* use(batch)
          // Only here: where the effect was interrupted, a device may be at work on the memory still.
          recycle(batch)
        }
        left = batches
      }).pipe(Pull.catchDone(() => Effect.void))
  }
})
