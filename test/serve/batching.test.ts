/** Dynamic batching, with a network that is a function. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { ExecutionError } from "../../src/Device.ts"
import { type Batch, makeBatching } from "../../src/Serve/Model/Batching.ts"
import { batchSizesUpTo, type Network } from "../../src/Serve/Model/Network.ts"

const IMAGE = 2 * 2 * 3

/** Images that are each one number throughout. */
const images = (...values: ReadonlyArray<number>): Uint8Array =>
  Uint8Array.from({ length: values.length * IMAGE }, (_, i) => values[Math.floor(i / IMAGE)])

/** Says of each image its number and twice that, in batches that are written down. */
const network = (
  asked: Array<ReadonlyArray<number>>,
  before: Effect.Effect<void, ExecutionError>
): Network => ({
  classes: ["once", "twice"],
  size: { height: 2, width: 2 },
  says: "logits",
  batchSizes: batchSizesUpTo(4),
  ask: (pixels, batch) =>
    Effect.suspend(() => {
      const numbers = Array.from({ length: batch }, (_, i) => pixels[i * IMAGE])
      asked.push(numbers)
      return Effect.as(before, Float32Array.from(numbers.flatMap((value) => [value, 2 * value])))
    })
})

const start = (
  options: { readonly maxDelay?: number; readonly before?: Effect.Effect<void, ExecutionError> } = {}
) =>
  Effect.gen(function* () {
    const asked: Array<ReadonlyArray<number>> = []
    const batches: Array<Batch> = []
    const { before = Effect.void, maxDelay = 20 } = options
    const batching = yield* makeBatching({
      network: network(asked, before),
      maxDelay,
      onBatch: (batch) => batches.push(batch)
    })
    return { asked, batches, batching }
  })

describe("batches", () => {
  it("have sizes that are powers of two", () => {
    assert.deepStrictEqual(batchSizesUpTo(1), [1])
    assert.deepStrictEqual(batchSizesUpTo(32), [1, 2, 4, 8, 16, 32])
  })

  it.live("are shared by requests, which get their own rows; what is missing is filled up", () =>
    Effect.gen(function* () {
      const { asked, batches, batching } = yield* start()
      const said = yield* Effect.all([batching.submit(images(1), 1), batching.submit(images(2, 3), 2)], {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(asked, [[1, 2, 3, 0]])
      assert.deepStrictEqual(
        said.map(({ rows }) => Array.from(rows)),
        [
          [1, 2],
          [2, 4, 3, 6]
        ]
      )
      assert.deepStrictEqual(
        batches.map(({ images, size }) => [images, size]),
        [[3, 4]]
      )
      assert.strictEqual(batching.waiting(), 0)
    })
  )

  it.live("take a large request in parts", () =>
    Effect.gen(function* () {
      const { asked, batching } = yield* start({ maxDelay: 0 })
      const { rows } = yield* batching.submit(images(1, 2, 3, 4, 5, 6, 7), 7)
      assert.deepStrictEqual(asked, [
        [1, 2, 3, 4],
        [5, 6, 7, 0]
      ])
      assert.deepStrictEqual(Array.from(rows), [1, 2, 2, 4, 3, 6, 4, 8, 5, 10, 6, 12, 7, 14])
    })
  )

  it.live("go at once when they are full, and with all that came while the device was busy", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const { asked, batching } = yield* start({ maxDelay: 10_000, before: Deferred.await(gate) })
      const full = yield* Effect.forkChild(batching.submit(images(1, 2, 3, 4), 4))
      while (asked.length === 0) yield* Effect.sleep(1)
      const others = yield* Effect.forkChild(
        Effect.all([batching.submit(images(5, 6), 2), batching.submit(images(7, 8), 2)], {
          concurrency: "unbounded"
        })
      )
      while (batching.waiting() < 4) yield* Effect.sleep(1)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(full)
      yield* Fiber.join(others)
      assert.deepStrictEqual(asked, [
        [1, 2, 3, 4],
        [5, 6, 7, 8]
      ])
    })
  )

  it.live("are without what nobody waits for any more", () =>
    Effect.gen(function* () {
      const { asked, batching } = yield* start({ maxDelay: 50 })
      const gone = yield* Effect.forkChild(batching.submit(images(1, 1, 1), 3))
      while (batching.waiting() < 3) yield* Effect.sleep(1)
      yield* Fiber.interrupt(gone)
      assert.strictEqual(batching.waiting(), 0)
      yield* batching.submit(images(2), 1)
      assert.deepStrictEqual(asked, [[2]])
    })
  )

  it.live("fail for those that are in them alone", () =>
    Effect.gen(function* () {
      let runs = 0
      const broken = new ExecutionError({ reason: "WrongInput", message: "broken" })
      const before = Effect.suspend(() => (runs++ === 0 ? Effect.fail(broken) : Effect.void))
      const { batching } = yield* start({ before, maxDelay: 0 })
      const first = yield* Effect.exit(batching.submit(images(1, 2, 3, 4, 5), 5))
      assert.isTrue(Exit.isFailure(first))
      assert.strictEqual(batching.waiting(), 0)
      const { rows } = yield* batching.submit(images(9), 1)
      assert.deepStrictEqual(Array.from(rows), [9, 18])
    })
  )
})
