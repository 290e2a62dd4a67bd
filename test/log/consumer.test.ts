/** Consumers of a training's events: what they cannot reach neither stops nor slows it, and they say so once. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { Event } from "../../src/Events.ts"
import { consumer, LogError } from "../../src/Log/Consumer.ts"
import { scalarsOf } from "../../src/Log/Scalars.ts"

const step = (at: number): Event => ({
  ...{ _tag: "Step", epoch: Math.floor(at / 100), epochs: 100_000, step: at % 100, stepsPerEpoch: 100 },
  ...{ loss: 1, accuracy: 0.5, learningRate: 0.1, images: 8, cost: 1, costLeft: 1 }
})

const epoch = (number: number): Event => ({
  _tag: "Epoch",
  metrics: {
    ...{ epoch: number, step: 100 * number, lr: 0.1, trainLoss: 1, trainAccuracy: 0.5, valLoss: null },
    ...{ accuracy: { raw: 0.4, ema: null }, imagesPerSecond: 10, seconds: 1, waitShare: 0 }
  }
})

describe("a consumer", () => {
  it.effect("writes the steps and epochs that it is to tell of, in their order", () =>
    Effect.gen(function* () {
      const written: Array<number> = []
      yield* Effect.gen(function* () {
        const take = yield* consumer(
          {
            name: "a list",
            write: (events) =>
              Effect.sync(() => written.push(...events.map((event) => scalarsOf(event)?.step ?? -1)))
          },
          { everySteps: 10, warn: assert.fail }
        )
        for (let at = 1; at <= 30; at++) take(step(at))
        take({ _tag: "Message", text: "not for it" })
        take(epoch(1))
      }).pipe(Effect.scoped, Effect.forkChild, Effect.tap(TestClock.adjust("1 second")))
      assert.deepStrictEqual(written, [10, 20, 30, 100])
    })
  )

  it.effect("says once that it fails, keeps what it can, and tries again", () =>
    Effect.gen(function* () {
      const warnings: Array<string> = []
      const written: Array<Event> = []
      let isThere = false
      const close = yield* Deferred.make<void>()
      const life = Effect.gen(function* () {
        const take = yield* consumer(
          {
            name: "a server",
            write: (events) =>
              isThere
                ? Effect.sync(() => written.push(...events))
                : Effect.fail(new LogError({ message: "nobody is there" }))
          },
          { everySteps: 1, warn: (text) => warnings.push(text) }
        )
        // More than is kept: the steps are left out, the epochs are not.
        for (let at = 1; at <= 10_000; at++) take(step(at))
        for (let number = 1; number <= 50; number++) take(epoch(number))
        yield* Deferred.await(close)
      }).pipe(Effect.scoped)
      yield* Effect.forkChild(life)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(warnings.length, 1)
      assert.match(warnings[0], /^a server: nobody is there; /)
      assert.strictEqual(written.length, 0)
      isThere = true
      yield* TestClock.adjust("1 minute")
      assert.isAtMost(written.length, 4096)
      assert.strictEqual(written.filter(({ _tag }) => _tag === "Epoch").length, 50)
      yield* Deferred.succeed(close, undefined)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(warnings.length, 2)
      assert.match(warnings[1], /^a server: \d+ events of the training did not get there$/)
    })
  )

  it.effect("does not hold up the end where nobody is there", () =>
    Effect.gen(function* () {
      const warnings: Array<string> = []
      const fiber = yield* Effect.gen(function* () {
        const take = yield* consumer(
          { name: "a server", write: () => Effect.never },
          { everySteps: 1, warn: (text) => warnings.push(text) }
        )
        take(epoch(1))
      }).pipe(Effect.scoped, Effect.forkChild)
      yield* TestClock.adjust("6 seconds")
      assert.isDefined(fiber.pollUnsafe())
      assert.deepStrictEqual(warnings, ["a server: 1 event of the training did not get there"])
    })
  )
})
