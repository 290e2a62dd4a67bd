/** The rendezvous, the heartbeat and the work that replicas share. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { freePort, settled } from "../../src/Distributed/Address.ts"
import { checkSame } from "../../src/Distributed/Agreement.ts"
import { describeVerdict, type Verdict } from "../../src/Distributed/Heartbeat/Verdict.ts"
import { startHeartbeat } from "../../src/Distributed/Heartbeat.ts"
import { openRendezvous } from "../../src/Distributed/Rendezvous.ts"
import { isOwn, placesOf } from "../../src/Distributed.ts"

const HOST = "127.0.0.1"

const options = (index: number, count: number, port: number) => ({
  ...{ index, count, localIndex: index, coordinator: { host: HOST, port } },
  ...{ address: HOST, timeout: 1, secret: "s" as string | undefined }
})

/** What each of some replicas is told, or why not. */
const met = (all: ReadonlyArray<ReturnType<typeof options>>) =>
  Effect.all(
    all.map((one) =>
      Effect.gen(function* () {
        const { meet } = yield* openRendezvous(one)
        yield* meet("join", `first ${one.index}`)
        return (yield* meet("ready", { index: one.index })).map(({ value }) => value)
      }).pipe(
        Effect.scoped,
        Effect.catch(({ message }) => Effect.succeed(message))
      )
    ),
    { concurrency: "unbounded" }
  )

describe("the rendezvous", () => {
  it.live("tells everybody what everybody has told, by rank", () =>
    Effect.gen(function* () {
      const port = yield* freePort
      const values = [{ index: 0 }, { index: 1 }, { index: 2 }]
      const told = yield* met([2, 1, 0].map((index) => options(index, 3, port)))
      assert.deepStrictEqual(told, [values, values, values])
    })
  )

  it.live("names who is missing, and refuses who does not belong to it", () =>
    Effect.gen(function* () {
      const port = yield* freePort
      const [first, other] = yield* met([options(0, 3, port), options(2, 3, port)])
      assert.strictEqual(first, "replica 1 did not come within 1 s")
      assert.match(String(other), /^replica [01] /)
      const wrong = { ...options(1, 2, yield* freePort), secret: "other" }
      const [, refused] = yield* met([{ ...wrong, index: 0, secret: "s" }, wrong])
      assert.strictEqual(refused, "the secret is another one than replica 0 has")
      const next = yield* freePort
      const miscounted = "replica 1 (127.0.0.1) was told of 3 replicas, but replica 0 of 2"
      assert.deepStrictEqual(yield* met([options(0, 2, next), options(1, 3, next)]), [miscounted, miscounted])
      const last = yield* freePort
      const twins = yield* met([options(0, 3, last), options(1, 3, last), options(1, 3, last)])
      assert.include(twins, "there are two processes of rank 1, at 127.0.0.1 and 127.0.0.1")
      const gone = yield* freePort
      const leaving = Effect.gen(function* () {
        const { leave } = yield* openRendezvous(options(1, 3, gone))
        yield* Effect.sleep(200)
        yield* leave("its data are not there")
        return "left"
      }).pipe(Effect.scoped)
      const [told, left] = yield* Effect.all([met([options(0, 3, gone), options(2, 3, gone)]), leaving], {
        concurrency: 2
      })
      assert.strictEqual(left, "left")
      assert.deepStrictEqual(told[0], "replica 1 (127.0.0.1) does not come: its data are not there")
      const [alone] = yield* met([options(1, 2, yield* freePort)])
      assert.match(String(alone), /^replica 0 is not at 127\.0\.0\.1:\d+, and did not come within 1 s$/)
    })
  )

  it.effect("names the first difference between replicas", () =>
    Effect.gen(function* () {
      const places = [HOST, "10.0.0.2"].map((address) => ({ address, value: undefined }))
      const same = { version: "1", asked: { train: { batchSize: 64 } } }
      yield* checkSame(places, [same, same], (value) => value)
      const other = { version: "1", asked: { train: { batchSize: 32 } } }
      const { message } = yield* Effect.flip(checkSame(places, [same, other], (value) => value))
      assert.strictEqual(
        message,
        "replica 1 (10.0.0.2) is not of the training of replica 0 (127.0.0.1): asked.train.batchSize: 64 → 32"
      )
    })
  )
})

it("where the first replica's name is a loopback address, addresses follow from where the others are", () => {
  assert.deepStrictEqual(settled(["10.0.0.1", "10.0.0.2"]), ["10.0.0.1", "10.0.0.2"])
  assert.deepStrictEqual(settled(["0.0.0.0", HOST, HOST]), [HOST, HOST, HOST])
  const [own, near, far] = settled(["0.0.0.0", HOST, "10.99.0.2"])
  assert.strictEqual(own, near)
  assert.strictEqual(far, "10.99.0.2")
})

describe("the heartbeat", () => {
  const beat = Effect.fnUntraced(function* (index: number, port: number, verdicts: Array<Verdict>) {
    const addresses = ["a:1", "b:2", "c:3"]
    return yield* startHeartbeat(
      { ...{ index, addresses, host: HOST, port, secret: "s", silence: 60, grace: 600 } },
      (verdict) => verdicts.push(verdict)
    )
  })

  it.live("tells all who is gone or has failed, and lets those that are done go with the first", () =>
    Effect.gen(function* () {
      const port = yield* freePort
      const told: ReadonlyArray<Array<Verdict>> = [[], [], []]
      const [first, second] = [yield* beat(0, port, told[0]), yield* beat(1, port, told[1])]
      const leaving = Effect.gen(function* () {
        const third = yield* beat(2, port, told[2])
        yield* third.end("failed", "the disk is full")
      })
      yield* Effect.scoped(leaving)
      const verdict: Verdict = { _tag: "Ended", index: 2, ending: "failed", why: "the disk is full" }
      assert.deepStrictEqual(yield* Effect.all([first.verdict, second.verdict]), [verdict, verdict])
      assert.strictEqual(
        describeVerdict(verdict, { addresses: ["a:1", "b:2", "c:3"], silence: 5, step: 6 }),
        "replica 2 (c:3) failed at step 7: the disk is full"
      )
      yield* Effect.all([first.end("failed", ""), second.end("failed", "")], { concurrency: 2 })
      const next = yield* freePort
      const [lead, guest, lost] = [
        yield* beat(0, next, []),
        yield* beat(1, next, []),
        yield* beat(2, next, [])
      ]
      // Where the others have not come by then, they give up after a while.
      yield* Effect.sleep(300)
      yield* Effect.all([lead.closing, guest.closing, lost.closing])
      yield* Effect.all([lost.end("finished", ""), guest.end("finished", ""), lead.end("finished", "")], {
        concurrency: 3
      })
    }).pipe(Effect.scoped)
  )
})

it("each place of a batch belongs to one replica, and parts are of the same images for any number of them", () => {
  for (const count of [1, 2, 3, 4]) {
    const shares = Array.from({ length: count }, (_, index) => placesOf({ index, count }, 24, 2))
    assert.deepStrictEqual(
      shares.flatMap((places) => [...places]).sort((a, b) => a - b),
      [...Array(24).keys()]
    )
    for (const places of shares) {
      assert.isTrue(places.subarray(0, places.length / 2).every((place) => place < 12))
    }
    assert.deepStrictEqual(
      [0, 1, 2, 3, 4].map((n) => shares.findIndex((_, index) => isOwn({ index, count }, n))),
      [0, 1, 2, 3, 4].map((n) => n % count)
    )
  }
})
