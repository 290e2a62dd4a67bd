import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Stream from "effect/Stream"
import { batchMemory } from "../../src/Augment/Batch/BatchMemory.ts"
import { batchStream } from "../../src/Augment/Batch/BatchStream.ts"
import { makeTrace } from "../../src/Augment/Batch/Breadcrumbs.ts"
import { openEpochs } from "../../src/Augment/Batch/Epochs.ts"
import { arraysOver, type BatchTask, batchBytes, batchMaker } from "../../src/Augment/Batch/MakeBatch.ts"
import { always } from "../../src/Augment/Batch/Ways.ts"
import { makePool } from "../../src/Augment/Batch/WorkerPool.ts"
import { builtScript } from "../../src/Augment/Batch/WorkerScript.ts"
import type { Pipeline } from "../../src/Augment/Pipeline.ts"
import {
  type Batch,
  type BatchOptions,
  batchesPerEpoch,
  epochBatches,
  evaluationBatches,
  makeAugmenter
} from "../../src/Augment.ts"
import { datasetOf } from "./support.ts"

const fill = [0, 0, 0] as const
const everything: Pipeline = [
  { _tag: "RandomCrop", padding: 3, mode: "reflect" },
  { _tag: "AlternatingFlip" },
  { _tag: "AutoAugment", policy: "cifar10", fill },
  { _tag: "RandAugment", n: 2, m: 9, bins: 31, fill },
  { _tag: "TrivialAugmentWide", bins: 31, fill },
  { _tag: "RandomErasing", p: 0.5, scale: [0.02, 0.33], ratio: [0.3, 3.3], value: "random" },
  { _tag: "Cutout", length: 4, holes: 2 },
  { _tag: "MixupCutMix", mixupAlpha: 0.4, cutMixAlpha: 1, switchProb: 0.5, p: 0.8 }
]
const dataset = datasetOf(70, { height: 9, width: 11 })
const options: BatchOptions = { batchSize: 8, pipeline: everything, seed: 3 }

const collect = (options: BatchOptions, epoch: number, from = 0, data = dataset) =>
  Effect.map(Stream.runCollect(epochBatches(data, options, { epoch, from })), Array.from<Batch>)

/** Threads of this process, apart from the main one. */
const threads = (): number =>
  (process.report.getReport() as unknown as { workers: ReadonlyArray<unknown> }).workers.length

/** Batches as plain values, so that they can be compared. */
const plain = (batches: ReadonlyArray<Batch>) =>
  batches.map(({ images, index, labelsA, labelsB, lambda }) => ({
    index,
    images: Buffer.from(images).toString("hex"),
    labels: [...labelsA, ...labelsB],
    lambda: [...lambda]
  }))

describe("the batches of an epoch", () => {
  it.effect("hold every image at most once, in another order in each epoch", () =>
    Effect.gen(function* () {
      const data = {
        ...dataset,
        train: { ...dataset.train, labels: Uint16Array.from({ length: 70 }, (_, i) => i) }
      }
      const orders: Array<string> = []
      for (const epoch of [0, 1, 2]) {
        const batches = yield* collect({ ...options, pipeline: [] }, epoch, 0, data)
        assert.strictEqual(batches.length, batchesPerEpoch(70, 8))
        assert.strictEqual(batches.length, 8)
        const images = batches.flatMap(({ labelsA }) => [...labelsA])
        assert.strictEqual(new Set(images).size, 64)
        batches.forEach((batch, i) => {
          assert.deepStrictEqual([batch.index, batch.size], [i, 8])
          batch.labelsA.forEach((image, place) => {
            assert.deepStrictEqual(
              batch.images.subarray(place * 297, (place + 1) * 297),
              data.train.images.pixels.slice(image * 297, (image + 1) * 297)
            )
          })
        })
        orders.push(images.join())
      }
      assert.strictEqual(new Set(orders).size, 3)
    })
  )

  it.live("are counted in a gauge while they wait", () =>
    Effect.gen(function* () {
      const depths: Array<number> = []
      yield* Stream.runForEach(
        epochBatches(dataset, options, { epoch: 0, from: 0 }),
        Effect.fnUntraced(function* () {
          const gauge = (yield* Metric.snapshot).find(({ id }) => id === "shakedrop_batch_queue_depth")
          assert.isDefined(gauge)
          depths.push((gauge.state as { readonly value: number }).value)
          yield* Effect.sleep(5)
        })
      )
      assert.lengthOf(depths, 8)
      assert.isTrue(depths.every((depth) => depth >= 0 && depth <= 2))
      assert.strictEqual(depths.at(-1), 0)
      assert.isAbove(Math.max(...depths), 0)
    })
  )

  it.effect("depend on nothing but seed and epoch, from wherever they are taken", () =>
    Effect.gen(function* () {
      const whole = plain(yield* collect(options, 4))
      assert.deepStrictEqual(plain(yield* collect(options, 4)), whole)
      assert.deepStrictEqual(plain(yield* collect(options, 4, 5)), whole.slice(5))
      assert.deepStrictEqual(plain(yield* collect(options, 4, 8)), [])
      assert.notDeepEqual(plain(yield* collect(options, 5)), whole)
      assert.notDeepEqual(plain(yield* collect({ ...options, seed: 4 }, 4)), whole)
    })
  )

  it.live.each([1, 2, 3])(
    "are the same when %d worker threads make them, also from the middle on",
    (workers) =>
      Effect.gen(function* () {
        for (const epoch of [0, 7]) {
          const inline = plain(yield* collect(options, epoch))
          assert.deepStrictEqual(plain(yield* collect({ ...options, workers }, epoch)), inline)
          assert.deepStrictEqual(plain(yield* collect({ ...options, workers }, epoch, 3)), inline.slice(3))
        }
      })
  )

  it("an image comes out the same in whatever company and order", () => {
    const { images, labels } = dataset.train
    const pipeline = everything.slice(0, -1)
    const run = (chosen: ReadonlyArray<number>) => {
      const source = { images, labels, mean: [1, 2, 3] as const, pipeline, batchSize: chosen.length, seed: 8 }
      const out = arraysOver(new ArrayBuffer(batchBytes(source)), source)
      batchMaker(source, makeTrace())({ epoch: 2, index: chosen[0], chosen: Uint32Array.from(chosen) }, out)
      return new Map(
        chosen.map((image, i) => [
          image,
          Buffer.from(out.images.slice(i * 297, (i + 1) * 297)).toString("hex")
        ])
      )
    }
    const all = run(Array.from({ length: 70 }, (_, i) => i))
    for (const chosen of [[69, 0, 33], [33], [12, 33, 5, 69, 1]]) {
      for (const [image, pixels] of run(chosen)) assert.strictEqual(pixels, all.get(image))
    }
  })
})

describe("what is made ahead", () => {
  const orderOf = () => Uint32Array.from({ length: 400 }, (_, i) => i)
  const epochs = { images: 400, orderOf, batchSize: 4, epoch: 0 }
  const arrays = () => {
    const source = { batchSize: 4, images: { height: 1, width: 1 } } as Parameters<typeof batchBytes>[0]
    return arraysOver(new ArrayBuffer(batchBytes(source)), source)
  }

  it.effect.each([
    { concurrency: 0, ahead: 2 },
    { concurrency: 2, ahead: 2 },
    { concurrency: 6, ahead: 6 }
  ])(
    "a slow consumer is at most $ahead batches behind (concurrency $concurrency)",
    ({ ahead, concurrency }) =>
      Effect.gen(function* () {
        let made = 0
        let taken = 0
        let most = 0
        const make = () =>
          Effect.andThen(
            Effect.yieldNow,
            Effect.sync(() => {
              made++
              return arrays()
            })
          )
        yield* Stream.runForEach(
          batchStream({ ...epochs, from: 0, until: 1, ways: always({ make }, concurrency) }),
          Effect.fnUntraced(function* () {
            taken++
            // Time enough to make every batch there is.
            for (let i = 0; i < 200; i++) yield* Effect.yieldNow
            most = Math.max(most, made - taken)
          })
        )
        assert.deepStrictEqual([made, taken], [100, 100])
        assert.strictEqual(most, ahead)
      })
  )

  it.effect.each([
    { concurrency: 0, ahead: 2 },
    { concurrency: 2, ahead: 2 },
    { concurrency: 6, ahead: 6 }
  ])(
    "is of the next epoch while one is evaluated, and no more than $ahead batches (concurrency $concurrency)",
    ({ ahead, concurrency }) =>
      Effect.gen(function* () {
        const made: Array<string> = []
        const make = ({ epoch, index }: BatchTask) =>
          Effect.andThen(
            Effect.yieldNow,
            Effect.sync(() => {
              made.push(`${epoch} ${index}`)
              return arrays()
            })
          )
        const taken: Array<string> = []
        const run = yield* openEpochs({
          ...{ ...epochs, from: 97, until: 3 },
          ...{ ways: always({ make }, concurrency), recycle: () => {} }
        })
        for (const epoch of [0, 1, 2]) {
          yield* run.run((batch) =>
            Effect.gen(function* () {
              taken.push(`${batch.epoch} ${batch.index}`)
              for (let i = 0; i < 50; i++) yield* Effect.yieldNow
              assert.isAtMost(made.length - taken.length, ahead)
            })
          )
          assert.strictEqual(taken.at(-1), `${epoch} 99`)
          assert.strictEqual(taken.length, 3 + 100 * epoch)
          // The evaluation: time enough to make every batch there is.
          for (let i = 0; i < 500; i++) yield* Effect.yieldNow
          const next = Array.from({ length: ahead }, (_, index) => `${epoch + 1} ${index}`)
          assert.deepStrictEqual(made.slice(taken.length), epoch === 2 ? [] : next)
        }
        assert.deepStrictEqual(taken, made)
      }).pipe(Effect.scoped)
  )

  it.live("memory does not grow with the batches that pass", () =>
    Effect.gen(function* () {
      // 2,000 batches of 99 KiB each, 193 MiB in all.
      const batchSize = 340
      const data = datasetOf(batchSize, { height: 9, width: 11 })
      data.train.indices = Uint32Array.from({ length: batchSize * 2000 }, (_, i) => i % batchSize)
      const before = process.memoryUsage().external
      let most = 0
      let batches = 0
      yield* Stream.runForEach(
        epochBatches(data, { batchSize, pipeline: [], seed: 1, workers: 2 }, { epoch: 0, from: 0 }),
        () =>
          Effect.sync(() => {
            batches++
            most = Math.max(most, process.memoryUsage().external - before)
          })
      )
      assert.strictEqual(batches, 2000)
      assert.isBelow(most, 100 << 20)
    })
  )
})

describe("memory of a batch", () => {
  it.live.each([0, 2])(
    "is used for a later batch once its effect is done, with the same bytes (%d worker threads)",
    (workers) =>
      Effect.gen(function* () {
        const augmenter = yield* makeAugmenter(dataset, { ...options, workers })
        const expected = plain(yield* collect(options, 0))
        const buffers = new Set<ArrayBufferLike>()
        const taken: Array<unknown> = []
        for (const _ of [0, 1, 2]) {
          yield* augmenter.run({ epoch: 0, from: 0 }, (batch) =>
            Effect.gen(function* () {
              buffers.add(batch.images.buffer)
              const before = plain([batch])
              // Time for later batches to be made.
              yield* Effect.sleep(1)
              assert.deepStrictEqual(plain([batch]), before)
              taken.push(...before)
            })
          )
        }
        assert.deepStrictEqual(taken, [...expected, ...expected, ...expected])
        // One that is taken, and those that are made ahead of it.
        assert.isAtMost(buffers.size, 1 + Math.max(2, 2 * workers))
        assert.isBelow(buffers.size, taken.length)
      })
  )

  it("is lent to one batch only, however often it is handed back", () => {
    const source = { batchSize: 4, images: { height: 1, width: 1 } } as Parameters<typeof batchMemory>[0]
    const { recycle, take } = batchMemory(source, (bytes) => new ArrayBuffer(bytes))
    const first = take()
    const second = take()
    recycle(first)
    recycle(first)
    recycle({ ...first, images: new Uint8Array(first.images) })
    const later = [take(), take(), take()]
    const buffers = later.map(({ images }) => images.buffer)
    assert.strictEqual(buffers.filter((buffer) => buffer === first.images.buffer).length, 1)
    assert.strictEqual(new Set(buffers).size, later.length)
    assert.notInclude(buffers, second.images.buffer)
  })

  it.live("is not lent again where an effect was interrupted: a device may be at work on it", () =>
    Effect.gen(function* () {
      const augmenter = yield* makeAugmenter(dataset, options)
      const held = yield* Deferred.make<Batch>()
      const fiber = yield* Effect.forkChild(
        augmenter.run({ epoch: 0, from: 0 }, (batch) =>
          Effect.andThen(Deferred.succeed(held, batch), Effect.never)
        )
      )
      const first = yield* Deferred.await(held)
      const kept = plain([first])
      yield* Fiber.interrupt(fiber)
      yield* augmenter.run({ epoch: 1, from: 0 }, ({ images }) =>
        Effect.sync(() => assert.notStrictEqual(images.buffer, first.images.buffer))
      )
      assert.deepStrictEqual(plain([first]), kept)
    }).pipe(Effect.scoped)
  )

  it.live.each([0, 1, 3])(
    "epochs are one stream, from any batch on, with the same bytes (%d worker threads)",
    (workers) =>
      Effect.gen(function* () {
        const expected: Array<unknown> = []
        for (const epoch of [1, 2, 3]) expected.push(...plain(yield* collect(options, epoch)))
        const augmenter = yield* makeAugmenter(dataset, { ...options, workers })
        const whole = batchesPerEpoch(70, options.batchSize)
        for (const from of [0, 3, whole]) {
          const taken: Array<unknown> = []
          const epochs = yield* augmenter.open({ epoch: 1, from, until: 4 })
          for (const _ of [1, 2, 3])
            yield* epochs.run((batch) => Effect.sync(() => taken.push(...plain([batch]))))
          assert.deepStrictEqual(taken, expected.slice(from))
          // There is nothing after the last epoch.
          yield* epochs.run(() => Effect.die("no batch is left"))
        }
      }).pipe(Effect.scoped)
  )
})

describe("threads", () => {
  it.effect("are not started from a build that is not of these sources, or not there", () =>
    Effect.gen(function* () {
      const stale = mkdtempSync(path.join(tmpdir(), "shakedrop-stale-"))
      writeFileSync(path.join(stale, ".sources"), "of yesterday")
      for (const dist of [`${stale}/`, `${stale}/none/`]) {
        const error = yield* Effect.flip(builtScript(pathToFileURL(dist)))
        assert.strictEqual(error.reason, "StaleBuild")
      }
      rmSync(stale, { recursive: true })
    })
  )

  it.live("end with the stream: whole, taken in part, interrupted, or failed", () =>
    Effect.gen(function* () {
      const workers = 2
      const endless = {
        ...dataset,
        train: { ...dataset.train, indices: Uint32Array.from({ length: 80_000 }, (_, i) => i % 70) }
      }
      const stream = epochBatches(endless, { ...options, workers }, { epoch: 0, from: 0 })
      assert.strictEqual(threads(), 0)

      yield* Stream.runDrain(epochBatches(dataset, { ...options, workers }, { epoch: 0, from: 0 }))
      assert.strictEqual(threads(), 0)

      const some = yield* Stream.runCollect(Stream.take(stream, 3))
      assert.strictEqual(some.length, 3)
      assert.strictEqual(threads(), 0)

      const under = yield* Deferred.make<number>()
      // A thread that is still starting is not counted: batches are taken until both are there.
      const fiber = yield* Effect.forkChild(
        Stream.runForEach(stream, () => {
          const started = threads()
          if (started < workers) return Effect.void
          return Effect.andThen(Deferred.succeed(under, started), Effect.never)
        })
      )
      assert.strictEqual(yield* Deferred.await(under), 2)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(threads(), 0)

      const failing = Stream.runForEach(stream, ({ index }) =>
        index < 2 ? Effect.void : Effect.fail("enough")
      )
      assert.strictEqual(yield* Effect.flip(failing), "enough")
      assert.strictEqual(threads(), 0)
    })
  )

  it.live("serve one epoch after the other, also after one that was left early", () =>
    Effect.gen(function* () {
      const augmenter = yield* makeAugmenter(dataset, { ...options, workers: 2 })
      for (const epoch of [0, 1, 2]) {
        const left: Array<unknown> = []
        const leaving = augmenter.run({ epoch, from: 0 }, (batch) => {
          left.push(...plain([batch]))
          return Effect.fail("enough")
        })
        assert.strictEqual(yield* Effect.flip(leaving), "enough")
        assert.deepStrictEqual(left, plain((yield* collect(options, epoch)).slice(0, 1)))
        const whole: Array<unknown> = []
        yield* augmenter.run({ epoch, from: 0 }, (batch) => Effect.sync(() => whole.push(...plain([batch]))))
        assert.deepStrictEqual(whole, plain(yield* collect(options, epoch)))
      }
      assert.strictEqual(threads(), 2)
    })
  )

  it.live("that die fail the batch with the image and the operation, and every later one", () =>
    Effect.gen(function* () {
      const { images, labels } = dataset.train
      const source = { images, labels, mean: fill, pipeline: everything, batchSize: 8, seed: 5 }
      yield* Effect.gen(function* () {
        const pool = yield* makePool(source, 2, new URL("./fixtures/dying-worker.mjs", import.meta.url))
        const task = (index: number) => pool.make({ epoch: 0, index, chosen: new Uint32Array(8) })
        for (const index of [0, 1, 2]) yield* task(index)
        const expected = "image 41, AlternatingFlip (Rotate): the augmentation thread ended with code 5"
        const errors = yield* Effect.all(
          [3, 4, 5, 6, 7, 8, 9].map((index) => Effect.flip(task(index))),
          {
            concurrency: "unbounded"
          }
        )
        for (const error of errors) assert.strictEqual(error.message, expected)
        for (const index of [0, 10]) assert.strictEqual((yield* Effect.flip(task(index))).message, expected)
      }).pipe(Effect.scoped)
      assert.strictEqual(threads(), 0)
    })
  )
})

describe("an error", () => {
  it.live.each([0, 2])("names the image and the operation (%d worker threads)", (workers) =>
    Effect.gen(function* () {
      const failure = (pipeline: unknown, indices = dataset.train.indices) =>
        Effect.flip(
          Stream.runDrain(
            epochBatches(
              { ...dataset, train: { ...dataset.train, indices } },
              { ...options, pipeline: pipeline as Pipeline, workers },
              { epoch: 0, from: 0 }
            )
          )
        )
      const crop = { _tag: "RandomCrop", padding: 1, mode: "zero" }
      // No colour to fill with: what no configuration lets through.
      const broken = { _tag: "AutoAugment", policy: [[["Rotate", 1, 9]]], fill: null }
      const inOperation = yield* failure([crop, broken])
      assert.strictEqual(inOperation._tag, "AugmentError")
      assert.match(inOperation.message, /^image \d+, AutoAugment \(Rotate\): .*iterable/)

      const missing = yield* failure(
        [crop],
        Uint32Array.from({ length: 8 }, () => 70)
      )
      assert.strictEqual(missing.message, "image 70: there is no image 70 among 70")
      assert.strictEqual(threads(), 0)
    })
  )
})

describe("evaluation batches", () => {
  it.effect("show a split's images as they are, in order, the last batch padded with black", () =>
    Effect.gen(function* () {
      const { train } = dataset
      const split = { ...train, indices: Uint32Array.of(5, 69, 0, 7, 7) }
      const batches = yield* Stream.runCollect(evaluationBatches(split, 3))
      const image = (i: number) => [...train.images.pixels.subarray(i * 297, (i + 1) * 297)]
      assert.deepStrictEqual(
        batches.map(({ images, index, size }) => ({ index, size, images: [...images] })),
        [
          { index: 0, size: 3, images: [...image(5), ...image(69), ...image(0)] },
          { index: 1, size: 2, images: [...image(7), ...image(7), ...new Array<number>(297).fill(0)] }
        ]
      )
      const none = yield* Stream.runCollect(evaluationBatches({ ...train, indices: new Uint32Array() }, 3))
      assert.deepStrictEqual(none, [])
    })
  )
})
