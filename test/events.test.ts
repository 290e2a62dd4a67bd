/** Events as a stream: of what happens, for whoever listens, at no cost to what happens. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { type Event, Events, message, publisher, stream } from "../src/Events.ts"

const texts = (events: ReadonlyArray<Event>) =>
  events.flatMap((event) => ("text" in event ? [event.text] : []))

describe("events", () => {
  it.effect("go nowhere unless somebody listens", () => message("unheard"))

  it.effect("are a stream that ends as the effect does", () =>
    Effect.gen(function* () {
      const events = yield* Stream.runCollect(stream(Effect.andThen(message("one"), message("two"))))
      assert.deepStrictEqual(texts(events), ["one", "two"])
      const heard: Array<Event> = []
      const exit = yield* Effect.exit(
        Stream.runForEach(stream(Effect.andThen(message("before"), Effect.fail("broken"))), (event) =>
          Effect.sync(() => heard.push(event))
        )
      )
      assert.deepStrictEqual(texts(heard), ["before"])
      assert.deepStrictEqual(exit, Exit.fail("broken"))
    })
  )

  it.effect("end nothing where their consumer throws, or rejects: Node warns of it once", () =>
    Effect.gen(function* () {
      const heard: Array<string> = []
      const consumer = {
        publish: (event: Event): void => {
          heard.push(...texts([event]))
          throw new Error("no room")
        }
      }
      const late = { publish: async () => Promise.reject(new Error("too late")) }
      const warnings: Array<string> = []
      const note = ({ message, name }: Error) => {
        if (name === "ShakedropWarning") warnings.push(message)
      }
      process.on("warning", note)
      yield* Effect.gen(function* () {
        yield* message("one")
        const tell = yield* publisher
        tell({ _tag: "Message", text: "two" })
      }).pipe(Effect.provideService(Events, consumer))
      yield* Effect.andThen(message("three"), message("four")).pipe(Effect.provideService(Events, late))
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      process.off("warning", note)
      assert.deepStrictEqual(heard, ["one", "two"])
      assert.deepStrictEqual(warnings, [
        "a consumer of events failed, and goes on being told: no room",
        "a consumer of events failed, and goes on being told: too late"
      ])
    })
  )

  it.effect("do not wait for who is slow: what is lost to it is counted", () =>
    Effect.gen(function* () {
      const told = yield* Deferred.make<void>()
      const many = 5000
      const effect = Effect.gen(function* () {
        for (let i = 0; i < many; i++) yield* message(String(i))
        yield* Deferred.succeed(told, undefined)
        // Room again, once the consumer has woken up.
        for (let i = 0; i < 200; i++) yield* Effect.yieldNow
        yield* message("last")
      })
      const events: Array<Event> = []
      yield* Stream.runForEach(stream(effect), (event) =>
        Effect.gen(function* () {
          yield* Deferred.await(told)
          events.push(event)
        })
      )
      const missed = events.reduce((sum, event) => sum + (event._tag === "Missed" ? event.events : 0), 0)
      assert.isAbove(missed, 0)
      assert.strictEqual(texts(events).length + missed, many + 1)
      assert.strictEqual(texts(events).at(-1), "last")
    })
  )

  it.effect("stop the effect with their stream", () =>
    Effect.gen(function* () {
      let stopped = false
      const effect = Effect.andThen(message("begun"), Effect.never).pipe(
        Effect.onInterrupt(() => Effect.sync(() => (stopped = true)))
      )
      const begun = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(
        Stream.runForEach(stream(effect), () => Deferred.succeed(begun, undefined))
      )
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(fiber)
      assert.isTrue(stopped)
    })
  )
})
