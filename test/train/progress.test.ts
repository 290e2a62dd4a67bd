import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { showEvents } from "../../src/Cli/Shared/ShowEvents.ts"
import type { EpochMetrics, StepProgress } from "../../src/Events.ts"
import type { Output } from "../../src/Platform/StatusLine.ts"
import { formatSeconds } from "../../src/Platform/Text.ts"

const STEPS = 100
const CLEAR = "\r\x1b[2K"

const at = (step: number, change: Partial<StepProgress> = {}): StepProgress => ({
  epoch: 0,
  epochs: 4,
  step,
  stepsPerEpoch: STEPS,
  loss: 2,
  accuracy: 0.25,
  learningRate: 0.1,
  images: 64,
  cost: 1,
  costLeft: (4 - (change.epoch ?? 0)) * STEPS - step,
  ...change
})

const metrics: EpochMetrics = {
  epoch: 1,
  step: STEPS,
  lr: 0.0512,
  trainLoss: 1.23456,
  trainAccuracy: 0.5678,
  valLoss: 1,
  accuracy: { raw: 0.6, ema: null, swa: null },
  imagesPerSecond: 3210.4,
  seconds: 75,
  waitShare: 0
}

/** An output that keeps what is written. */
const recorded = (terminal: { readonly columns: number } | undefined) => {
  const written: Array<string> = []
  const output: Output = {
    ...(terminal === undefined ? {} : { isTTY: true, ...terminal }),
    write: (text) => written.push(text)
  }
  return { output, written }
}

/** The terminal as a consumer of what a training tells. */
const makeProgress = (output: Output) =>
  Effect.map(showEvents(output), ({ publish }) => ({
    message: (text: string) => publish({ _tag: "Message", text }),
    step: (step: StepProgress) => publish({ _tag: "Step", ...step }),
    epoch: (metrics: EpochMetrics) => publish({ _tag: "Epoch", metrics })
  }))
type Progress = Effect.Success<ReturnType<typeof makeProgress>>

/** Steps of an epoch, each of which takes so many milliseconds. */
const steps = (progress: Progress, from: number, to: number, milliseconds: number) =>
  Effect.gen(function* () {
    for (let step = from; step <= to; step++) {
      yield* TestClock.adjust(milliseconds)
      progress.step(at(step))
    }
  })

describe("on a terminal", () => {
  it.effect("a line is rewritten at most ten times a second", () =>
    Effect.gen(function* () {
      const { output, written } = recorded({ columns: 120 })
      const progress = yield* makeProgress(output)
      yield* steps(progress, 1, 100, 10)
      assert.isAtMost(written.length, 10)
      assert.isAtLeast(written.length, 9)
      for (const text of written) assert.isTrue(text.startsWith(CLEAR) && !text.includes("\n"))
    })
  )

  it.effect("it says how far, how well and how long still", () =>
    Effect.gen(function* () {
      const { output, written } = recorded({ columns: 120 })
      const progress = yield* makeProgress(output)
      yield* steps(progress, 1, 50, 200)
      const last = written[written.length - 1]
      assert.include(last, "epoch 1/4")
      assert.include(last, "━━━━━━━━━━━━────────────")
      assert.include(last, "50/100")
      // 350 steps of 0.2 s; 64 images in 0.2 s.
      assert.include(last, "1 min 10 s left")
      assert.include(last, "320 images/s")
      assert.include(last, "loss 2.0000")
      assert.include(last, "25.00 %")
      assert.include(last, "lr 0.100")
    })
  )

  it.effect("the time that is left counts evaluations between epochs, the images a second do not", () =>
    Effect.gen(function* () {
      const { output, written } = recorded({ columns: 120 })
      const progress = yield* makeProgress(output)
      yield* steps(progress, 1, 100, 100)
      yield* TestClock.adjust(10_000)
      progress.epoch(metrics)
      for (let step = 1; step <= 100; step++) {
        yield* TestClock.adjust(100)
        progress.step(at(step, { epoch: 1 }))
      }
      const last = written[written.length - 1]
      assert.include(last, "640 images/s")
      // 199 steps after the first took 29.9 s: 200 more take 30 s.
      assert.include(last, "30 s left")
    })
  )

  it.effect("loss and accuracy follow the last steps", () =>
    Effect.gen(function* () {
      const { output, written } = recorded({ columns: 120 })
      const progress = yield* makeProgress(output)
      progress.step(at(1, { loss: 4, accuracy: 0 }))
      yield* TestClock.adjust(1000)
      progress.step(at(2, { loss: 2, accuracy: 1 }))
      assert.include(written[1], "loss 3.0000")
      assert.include(written[1], "50.00 %")
      for (let step = 3; step <= 300; step++) progress.step(at(step, { loss: 1, stepsPerEpoch: 400 }))
      yield* TestClock.adjust(1000)
      progress.step(at(301, { loss: 1, stepsPerEpoch: 400 }))
      assert.include(written[2], "loss 1.0000")
    })
  )

  it.effect("a narrow one is never filled: the line would wrap", () =>
    Effect.gen(function* () {
      for (const columns of [20, 40, 60, 80, 90, 100, 110, 120, 200]) {
        const { output, written } = recorded({ columns })
        const progress = yield* makeProgress(output)
        yield* steps(progress, 1, 3, 1000)
        for (const text of written) assert.isBelow(text.replace(CLEAR, "").length, columns)
      }
    })
  )

  it.effect("messages and epochs take the line's place and stay; what follows begins on a new line", () =>
    Effect.gen(function* () {
      const { output, written } = recorded({ columns: 120 })
      yield* Effect.scoped(
        Effect.gen(function* () {
          const progress = yield* makeProgress(output)
          progress.message("hello")
          progress.step(at(1))
          progress.message("world")
          progress.step(at(2, { step: STEPS }))
          progress.epoch(metrics)
          progress.step(at(1, { epoch: 1 }))
        })
      )
      assert.strictEqual(written[0], "hello\n")
      assert.strictEqual(written[2], `${CLEAR}world\n`)
      assert.match(written[3], /epoch 1\/4.*loss 1\.2346.*\n$/)
      assert.strictEqual(written[written.length - 1], "\n")
    })
  )
})

describe("elsewhere", () => {
  it.effect("there is a line an epoch, and one every half a minute within it", () =>
    Effect.gen(function* () {
      const { output, written } = recorded(undefined)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const progress = yield* makeProgress(output)
          yield* steps(progress, 1, 100, 750)
          progress.epoch(metrics)
        })
      )
      assert.strictEqual(written.length, 3)
      assert.match(written[0], /^epoch 1\/4 {2} 40\/100 {2}\d min \d\d s left {2}loss 2\.0000 .*\n$/)
      assert.match(written[1], /^epoch 1\/4 {2} 80\/100/)
      assert.strictEqual(
        written[2],
        "epoch 1/4  loss 1.2346  train  56.78 %  validation  60.00 %  lr 0.0512  3,210 images/s  1 min 15 s\n"
      )
    })
  )

  it.effect("a short epoch has no line within it", () =>
    Effect.gen(function* () {
      const { output, written } = recorded(undefined)
      const progress = yield* makeProgress(output)
      yield* steps(progress, 1, 100, 250)
      assert.deepStrictEqual(written, [])
    })
  )
})

it("times are told in their two largest units", () => {
  const cases = [
    [0.4, "0 s"],
    [59.4, "59 s"],
    [59.6, "1 min 00 s"],
    [200, "3 min 20 s"],
    [7500, "2 h 05 min"],
    [3599.7, "1 h 00 min"],
    [273_600, "3 d 04 h"]
  ] as const
  for (const [seconds, text] of cases) assert.strictEqual(formatSeconds(seconds), text)
})
