import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { adaptive, MEASURED } from "../../src/Augment/Batch/Adaptive.ts"
import { openEpochs } from "../../src/Augment/Batch/Epochs.ts"
import { makeInline } from "../../src/Augment/Batch/Inline.ts"
import type { BatchSource } from "../../src/Augment/Batch/MakeBatch.ts"
import type { Maker } from "../../src/Augment/Batch/Ways.ts"
import { makePool, SLOTS } from "../../src/Augment/Batch/WorkerPool.ts"
import { AugmentError } from "../../src/Augment/Errors.ts"
import { steps } from "../../src/Augment/Steps.ts"
import { Events } from "../../src/Events.ts"
import { datasetOf } from "./support.ts"

const { images, indices, labels } = datasetOf(70, { height: 9, width: 11 }).train
const source: BatchSource = {
  ...{ images, labels, mean: [0, 0, 0], batchSize: 8, seed: 3 },
  pipeline: [
    { _tag: "RandomCrop", padding: 3, mode: "reflect" },
    { _tag: "MixupCutMix", mixupAlpha: 0.4, cutMixAlpha: 1, switchProb: 0.5, p: 0.8 }
  ]
}
const EPOCHS = 12

/** Threads of this process, apart from the main one. */
const live = (): number =>
  (process.report.getReport() as unknown as { workers: ReadonlyArray<unknown> }).workers.length

interface Milliseconds {
  /** That a batch takes to be made in the calling thread, and by threads. */
  readonly inline: number
  readonly pooled: number
  /** That its use takes. */
  readonly use: number
}

/** All batches of some epochs, made in ways that take the time they are said to take. */
const trained = (takes: Milliseconds, startThreads = makePool(source, 2)) =>
  Effect.gen(function* () {
    let time = 0
    let started = 0
    const told: Array<string> = []
    const slowed = ({ make, recycle }: Maker, milliseconds: number): Maker => ({
      make: (task) =>
        Effect.tap(make(task), () =>
          Effect.sync(() => {
            time += milliseconds
          })
        ),
      recycle
    })
    const ways = yield* adaptive({
      inline: slowed(makeInline(source, steps), takes.inline),
      ...{ threads: 2, concurrency: 2 * SLOTS, now: () => time },
      startThreads: Effect.map(startThreads, (pool) => {
        started++
        return slowed(pool, takes.pooled)
      })
    })
    const range = { epoch: 0, from: 0, until: EPOCHS, images: 70, batchSize: 8 }
    const taken: Array<string> = []
    const buffers = new Set<ArrayBufferLike>()
    yield* Effect.gen(function* () {
      const epochs = yield* openEpochs({
        ...{ ...range, ways, recycle: ways.recycle },
        orderOf: (epoch) => indices.map((image) => (image * 3 + epoch) % 70)
      })
      for (let epoch = 0; epoch < EPOCHS; epoch++) {
        yield* epochs.run((batch) =>
          Effect.sync(() => {
            time += takes.use
            buffers.add(batch.images.buffer)
            const { labelsA, labelsB, lambda } = batch
            taken.push(
              `${batch.epoch} ${batch.index} ${Buffer.from(batch.images).toString("base64")} ${[...labelsA, ...labelsB, ...lambda]}`
            )
          })
        )
      }
    }).pipe(
      Effect.scoped,
      Effect.provideService(Events, {
        publish: (event) => event._tag === "Message" && told.push(event.text)
      })
    )
    return { taken, told, started, buffers: buffers.size, left: live(), shared: sharedOf(buffers) }
  }).pipe(Effect.scoped)

const sharedOf = (buffers: ReadonlySet<ArrayBufferLike>): number =>
  [...buffers].filter((buffer) => buffer instanceof SharedArrayBuffer).length

describe("threads that nobody asked for", () => {
  it.live("are started where the device waits, kept where they are quicker, with the same bytes", () =>
    Effect.gen(function* () {
      const fast = yield* trained({ inline: 2, pooled: 1, use: 10 })
      assert.strictEqual(fast.taken.length, 8 * EPOCHS)
      assert.isAbove(fast.taken.length, 2 * MEASURED + 2 * SLOTS)
      assert.deepStrictEqual([fast.told, fast.started, fast.left], [[], 0, 0])

      // So quick that nobody waits for it, though nobody holds it back.
      const light = yield* trained({ inline: 0.5, pooled: 0.1, use: 0 })
      assert.deepStrictEqual([light.told, light.started], [[], 0])

      const kept = yield* trained({ inline: 20, pooled: 5, use: 1 })
      assert.deepStrictEqual(kept.told, ["augmentation goes on in 2 threads: the device waited for batches"])
      assert.deepStrictEqual([kept.started, kept.left], [1, 2])
      // Of memory that is used again: one that is taken, and those that are made ahead of it.
      assert.isAtMost(kept.shared, 1 + 2 * SLOTS)
      assert.isAtMost(kept.buffers - kept.shared, 3)

      const givenUp = yield* trained({ inline: 20, pooled: 60, use: 1 })
      assert.match(givenUp.told[1], /^augmentation goes on without threads: with 2, batches came no quicker$/)
      assert.deepStrictEqual([givenUp.told.length, givenUp.started, givenUp.left], [2, 1, 0])

      const cannot = new AugmentError({ reason: "StaleBuild", message: "no" })
      const none = yield* trained({ inline: 20, pooled: 5, use: 1 }, Effect.fail(cannot))
      assert.deepStrictEqual([none.told, none.left], [[], 0])

      for (const { taken } of [light, kept, givenUp, none]) assert.deepStrictEqual(taken, fast.taken)
      assert.strictEqual(live(), 0)
    })
  )

  it.live("are given up only when no stream is in them any more", () =>
    Effect.gen(function* () {
      let time = 0
      const slow = (maker: Maker): Maker => ({
        ...maker,
        make: (task) => Effect.tap(maker.make(task), () => Effect.sync(() => (time += 20)))
      })
      const ways = yield* adaptive({
        inline: slow(makeInline(source, steps)),
        ...{ threads: 1, concurrency: SLOTS, now: () => time },
        startThreads: Effect.map(makePool(source, 1), (pool) => slow(slow(slow(pool))))
      })
      const range = { epoch: 0, from: 0, images: 70, batchSize: 8, orderOf: () => indices }
      const open = openEpochs({ ...range, until: EPOCHS, ways, recycle: ways.recycle })
      const first = yield* open
      for (let epoch = 0; epoch < 4; epoch++) yield* first.run(() => Effect.void)
      assert.strictEqual(live(), 1)
      const second = yield* open
      yield* second.run(() => Effect.void)
      for (let epoch = 4; epoch < EPOCHS; epoch++) yield* first.run(() => Effect.void)
      // The second stream has batches that are made, and some that are not: none is lost.
      let seen = 0
      for (let epoch = 1; epoch < EPOCHS; epoch++) {
        yield* second.run(({ index }) => Effect.sync(() => assert.strictEqual(index, seen++ % 8)))
      }
      assert.strictEqual(seen, 8 * (EPOCHS - 1))
      assert.strictEqual(live(), 0)
    }).pipe(Effect.scoped)
  )
})
