/** Batches as streams. */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Stream from "effect/Stream"
import type { Split } from "../../Data/Types.ts"
import type { AugmentError } from "../Errors.ts"
import type { BatchArrays } from "./MakeBatch.ts"
import type { Maker, Way, Ways } from "./Ways.ts"

/** Images of a batch, uint8 [N,H,W,3]; only the first `size` are images, the others are black. */
export interface ImageBatch {
  /** The batch's number in its epoch or split, from 0. */
  readonly index: number
  readonly size: number
  readonly images: Uint8Array
}

/** A batch to train on, or the part of it that is made. */
export interface Batch extends ImageBatch, BatchArrays {
  readonly epoch: number
}

/** Which batches: those from batch `from` of `epoch` on, up to the end of the epoch before `until`. */
export interface BatchRange {
  readonly epoch: number
  readonly from: number
  readonly until: number
}

/** Whole batches in an epoch; the images that are left over are other ones in each epoch. */
export const batchesPerEpoch = (images: number, batchSize: number): number => Math.floor(images / batchSize)

export interface BatchStreamOptions extends BatchRange {
  /** Images of an epoch. */
  readonly images: number
  /** The images of an epoch, in its order. */
  readonly orderOf: (epoch: number) => Uint32Array
  readonly batchSize: number
  readonly ways: Ways
}

const queueDepth = Metric.gauge("shakedrop_batch_queue_depth", {
  description: "Batches that are made and wait for the step, as the last one was taken"
})

interface Place {
  readonly epoch: number
  readonly index: number
  /** The order of the epoch. */
  readonly order: Uint32Array
}

/** The places of all batches in a range. An epoch is put in order once its first batch is to be made. */
function* placesOf({ batchSize, epoch, from, images, orderOf, until }: BatchStreamOptions): Generator<Place> {
  const batches = batchesPerEpoch(images, batchSize)
  for (let each = epoch; each < until; each++) {
    const first = each === epoch ? from : 0
    if (first >= batches) continue
    const order = orderOf(each)
    for (let index = first; index < batches; index++) yield { epoch: each, index, order }
  }
}

/**
 * Batches of several epochs as one stream, in order: the first ones of an epoch are made while the last ones of the
 * epoch before are used. As many as are made at a time are made before they are asked for, and no more; two where that
 * is none. Where the way of making them changes, the next batch is the first one of a stream of the new way.
 */
export const batchStream = (options: BatchStreamOptions): Stream.Stream<Batch, AugmentError> => {
  const { batchSize, ways } = options
  let waiting = 0
  const batchBy =
    (make: Maker["make"]) =>
    ({ epoch, index, order }: Place): Effect.Effect<Batch, AugmentError> => {
      const chosen = order.slice(index * batchSize, (index + 1) * batchSize)
      return Effect.map(make({ epoch, index, chosen }), (arrays) => {
        waiting++
        return { ...{ epoch, index, size: arrays.labelsA.length }, ...arrays }
      })
    }
  const places = placesOf(options)
  let ended = false
  function* placesBy(way: Way): Generator<Place> {
    while (ways.current() === way) {
      const { done, value } = places.next()
      if (done) {
        ended = true
        return
      }
      yield value
    }
  }
  const streamBy = (way: Way): Stream.Stream<Batch, AugmentError> =>
    Stream.unwrap(
      Effect.map(way.maker, ({ make }) => {
        const { concurrency } = way
        const some = Stream.fromIterable(placesBy(way), { chunkSize: 1 })
        return concurrency > 0
          ? Stream.mapEffect(some, batchBy(make), { concurrency })
          : // Whoever was given the last batch starts with it before the next one is made.
            Stream.buffer(
              Stream.mapEffect(some, (place) => Effect.andThen(Effect.yieldNow, batchBy(make)(place))),
              { capacity: 1 }
            )
      })
    )
  const rest: Stream.Stream<Batch, AugmentError> = Stream.suspend(() =>
    ended ? Stream.empty : Stream.concat(streamBy(ways.current()), rest)
  )
  return Stream.tap(rest, () => Effect.andThen(Metric.update(queueDepth, --waiting), ways.taken))
}

/** The images of a split as they are, in its order; the last batch is padded with black images. */
export const evaluationBatches = (split: Split, batchSize: number): Stream.Stream<ImageBatch> => {
  const { images, indices } = split
  const bytes = images.height * images.width * 3
  const make = (index: number): ImageBatch => {
    const chosen = indices.subarray(index * batchSize, (index + 1) * batchSize)
    const batch = new Uint8Array(batchSize * bytes)
    chosen.forEach((image, i) => {
      batch.set(images.pixels.subarray(image * bytes, (image + 1) * bytes), i * bytes)
    })
    return { index, size: chosen.length, images: batch }
  }
  if (indices.length === 0) return Stream.empty
  return Stream.range(0, Math.ceil(indices.length / batchSize) - 1, 1).pipe(Stream.map(make))
}
