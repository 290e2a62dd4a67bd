import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { decodeStrictly } from "../../src/Config/Decode.ts"
import { learningRateAt, ScheduleConfig, schedules } from "../../src/Config/Schedule.ts"
import { merge } from "../../src/Config.ts"
import { decodeExperiment } from "../../src/Experiment.ts"
import { recipes } from "../../src/Recipe.ts"
import { averageDecay } from "../../src/Train/Averages/Ema.ts"
import { readJson } from "../support/Fixtures.ts"

/** Learning rates of PyTorch's schedulers at every step. */
interface Reference {
  readonly base: number
  readonly stepsPerEpoch: number
  readonly epochs: number
  readonly cases: ReadonlyArray<{ readonly schedule: ScheduleConfig; readonly lr: ReadonlyArray<number> }>
}

const reference = readJson<Reference>("schedules.json")

it.each(reference.cases)("$schedule equals PyTorch's at every step", ({ lr, schedule }) => {
  const { base, epochs, stepsPerEpoch } = reference
  assert.strictEqual(lr.length, epochs * stepsPerEpoch)
  for (const [done, expected] of lr.entries()) {
    const position = {
      epoch: Math.floor(done / stepsPerEpoch),
      step: done % stepsPerEpoch,
      stepsPerEpoch,
      epochs
    }
    assert.closeTo(learningRateAt(schedule, base, position), expected, 1e-12, `step ${done}`)
  }
})

it("every schedule has a rate in runs of a single step and of a single epoch", () => {
  for (const { schedule } of reference.cases) {
    for (const stepsPerEpoch of [1, 4]) {
      for (let step = 0; step < stepsPerEpoch; step++) {
        const rate = learningRateAt(schedule, 1, { epoch: 0, step, stepsPerEpoch, epochs: 1 })
        assert.isTrue(rate >= 0 && rate <= 1, `${JSON.stringify(schedule)}: ${rate}`)
      }
    }
  }
})

it.effect("milestones that do not rise are refused", () =>
  Effect.gen(function* () {
    const problem = yield* Effect.flip(decodeStrictly(ScheduleConfig, { _tag: "Step", milestones: [60, 30] }))
    assert.match(problem.message, /milestones: .*rising order, got \[60,30\]/)
  })
)

const input = recipes.quickstart.experiment

it.effect.each([
  [{ _tag: "Cosine", warmupEpochs: 3.5 }, "warmupEpochs: expected at most the run's 3 epochs, got 3.5"],
  [{ _tag: "Linear", warmupEpochs: 4 }, "warmupEpochs: expected at most the run's 3 epochs, got 4"],
  [{ _tag: "LongTraining" }, "warmupEpochs: expected at most the run's 3 epochs, got its default"],
  [
    { _tag: "Step", milestones: [1, 3] },
    "milestones: expected epochs before the last of the run's 3 is done"
  ],
  [{ _tag: "WarmRestarts", t0: 4 }, "t0: expected a cycle within the run's 3 epochs, got 4"],
  [{ _tag: "Linear", warmupEpochs: 1, startFactor: 0 }, "startFactor: expected more than 0"]
] as const)("%j is refused in a run of 3 epochs, where it could not take effect", ([schedule, reason]) =>
  Effect.gen(function* () {
    const whole = { ...input, train: { ...input.train, epochs: 3, schedule } }
    const { message } = yield* Effect.flip(decodeExperiment(whole))
    assert.include(message, reason)
    // One of a length that fits is not.
    if (!("startFactor" in schedule)) yield* decodeExperiment(merge(whole, { train: { epochs: 10 } }))
  })
)

it.effect("no schedule's first step has a rate of 0", () =>
  Effect.gen(function* () {
    for (const { name } of schedules) {
      const required = { Step: { milestones: [2] }, WarmRestarts: { t0: 2 } }[name as string] ?? {}
      const warm = ["Cosine", "Linear", "LongTraining"].includes(name) ? { warmupEpochs: 2 } : {}
      const schedule = yield* decodeStrictly(ScheduleConfig, { _tag: name, ...required, ...warm })
      const first = { epoch: 0, step: 0, stepsPerEpoch: 50, epochs: 5 }
      assert.isAbove(learningRateAt(schedule, 1, first), 0, name)
    }
  })
)

it("LongTraining equals the series' scheduler over 1800 epochs", () => {
  const { lr } = readJson<{ readonly lr: ReadonlyArray<number> }>("schedule-1800.json")
  assert.strictEqual(lr.length, 1800)
  for (const [epoch, expected] of lr.entries()) {
    for (const step of [0, 350]) {
      const position = { epoch, step, stepsPerEpoch: 351, epochs: 1800 }
      const actual = learningRateAt({ _tag: "LongTraining", warmupEpochs: 10, etaMin: 0 }, 0.5, position)
      assert.closeTo(actual, expected, 1e-12)
    }
  }
})

it("Cosine rises linearly to its base and falls to its minimum, with every step", () => {
  const schedule = { _tag: "Cosine", warmupEpochs: 1, etaMin: 0.01 } as const
  const at = (done: number) =>
    learningRateAt(schedule, 1, {
      epoch: Math.floor(done / 10),
      step: done % 10,
      stepsPerEpoch: 10,
      epochs: 5
    })
  assert.closeTo(at(0), 0.1, 1e-12)
  assert.closeTo(at(9), 1, 1e-12)
  assert.closeTo(at(10), 1, 1e-12)
  assert.closeTo(at(30), 0.505, 1e-12)
  for (let done = 11; done < 50; done++) assert.isBelow(at(done), at(done - 1))
  assert.isAbove(at(49), 0.01)
  const flat = learningRateAt({ _tag: "Cosine", warmupEpochs: 0, etaMin: 0 }, 1, {
    epoch: 0,
    step: 0,
    stepsPerEpoch: 10,
    epochs: 5
  })
  assert.strictEqual(flat, 1)
})

it("the averages' decay grows to its value", () => {
  assert.strictEqual(averageDecay(0.99, 0), 0.1)
  assert.closeTo(averageDecay(0.99, 90), 0.91, 1e-12)
  assert.strictEqual(averageDecay(0.99, 10_000), 0.99)
})
