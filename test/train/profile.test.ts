import { existsSync, readFileSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import { type Experiment, merge } from "../../src/Config.ts"
import type { OpEvent } from "../../src/Device.ts"
import { decodeExperiment, type ExperimentInput } from "../../src/Experiment.ts"
import { float32, type TensorRecord } from "../../src/Tensor/HostTensor.ts"
import { chromeTrace, describeProfile, sharesOf } from "../../src/Train/Probe/Profile.ts"
import { onTrial } from "../../src/Train/Probe/TrialSteps.ts"
import type { TrainingProgram } from "../../src/Train/Step/TrainingProgram.ts"
import { heardTexts } from "../support/Events.ts"
import { colours, curves, newest, runsOn, temporary } from "../support/Runs.ts"

const event = (op: string, start: number, duration: number, device = "cpu"): OpEvent => ({
  ...{ device, op, node: `${op}_${start}`, start, duration }
})

describe("a profile", () => {
  it("has a row for each operation of those that overlap", () => {
    const events = [
      event("Conv2D", 0, 10),
      event("Add", 2, 3),
      event("Copy", 3, 1, "gpu"),
      event("Add", 5, 6),
      event("Mul", 6, 1),
      event("Mul", 10, 1.5)
    ]
    const { traceEvents } = chromeTrace(events)
    assert.deepStrictEqual(
      traceEvents.map((event) =>
        "tid" in event ? `${event.name} ${event.pid}.${event.tid}` : event.args.name
      ),
      ["cpu", "Conv2D 0.0", "Add 0.1", "Add 0.1", "Mul 0.2", "Mul 0.0", "gpu", "Copy 1.0"]
    )
    assert.deepStrictEqual(traceEvents[5], {
      ...{ name: "Mul", ph: "X", ts: 10, dur: 1.5, pid: 0, tid: 0, args: { node: "Mul_10" } }
    })
  })

  it("gives the kinds of operations their shares, at most ten in the table", () => {
    const events = Array.from({ length: 12 }, (_, i) => event(`Op${i}`, 0, 1 + i))
    events.push(event("Op3", 50, 22))
    const shares = sharesOf(events)
    assert.deepStrictEqual(shares[0], { op: "Op3", share: 0.26 })
    assert.closeTo(
      shares.reduce((sum, { share }) => sum + share, 0),
      1,
      1e-12
    )
    const lines = describeProfile(events, { seconds: 0.4, coreSeconds: 0.6, cores: 2 })
    assert.include(lines[0], "0.400 s, in which 0.600 of 0.800 core-seconds")
    assert.strictEqual(lines[1], "  26.0 %  Op3")
    assert.lengthOf(lines, 11)
  })
})

const input: ExperimentInput = {
  name: "profiled",
  data: { dataset: "shapes" },
  augment: [{ _tag: "RandomCrop", padding: 1, mode: "reflect" }],
  model: { _tag: "SimpleCnn", width: 2 },
  train: {
    epochs: 2,
    batchSize: 32,
    learningRate: 0.1,
    schedule: { _tag: "Cosine" },
    ema: { decay: 0.9 },
    lookahead: { k: 2 }
  }
}

it.live.each([1, 2])(
  "a run is the same to the bit where a step is profiled, a batch in %d parts",
  (gradientAccumulationSteps) =>
    Effect.gen(function* () {
      const experiment = yield* decodeExperiment(merge(input, { train: { gradientAccumulationSteps } }))
      const { interrupted, run } = runsOn(colours())
      const [plain, profiled, continued] = [yield* temporary, yield* temporary, yield* temporary]
      const { result } = yield* run(experiment, plain)
      const messages: Array<string> = []
      const [first, again] = [profiled, continued].map((directory) => path.join(directory, "of", "step.json"))
      const results = [
        yield* run(experiment, profiled, { profile: first }).pipe(heardTexts((text) => messages.push(text)))
      ]
      // In the middle of the first epoch.
      yield* interrupted(experiment, continued, 2, false)
      results.push(yield* run(experiment, continued, { resume: true, profile: again }))
      for (const [i, directory] of [profiled, continued].entries()) {
        assert.isTrue(newest(directory).equals(newest(plain)))
        assert.deepStrictEqual(yield* curves(directory), yield* curves(plain))
        assert.deepStrictEqual({ ...results[i].result, trainSeconds: 0 }, { ...result, trainSeconds: 0 })
      }
      for (const file of [first, again]) {
        const { traceEvents } = JSON.parse(readFileSync(file, "utf8")) as ReturnType<typeof chromeTrace>
        assert.isTrue(traceEvents.some(({ name }) => name.includes("Conv2DBackpropFilter")))
      }
      assert.isTrue(
        messages.some((line) => / % {2}\w*Conv2DBackpropFilter$/.test(line)),
        messages.join("\n")
      )
    })
)

it.live("a profile that cannot be written ends the run before it has a folder", () =>
  Effect.gen(function* () {
    const directory = yield* temporary
    const experiment = yield* decodeExperiment(input)
    const { run } = runsOn(colours())
    const profile = path.join(directory, "file", "step.json")
    yield* Effect.sync(() => writeFileSync(path.join(directory, "file"), ""))
    const error = yield* Effect.flip(run(experiment, path.join(directory, "run"), { profile }))
    assert.strictEqual(error._tag, "StorageError")
    assert.isFalse(existsSync(path.join(directory, "run", "config.json")))
  })
)

describe("trial steps", () => {
  const train = { batchSize: 4 } as Experiment["train"]
  const images = { size: { height: 2, width: 2 }, batchSize: 4, mean: [0, 0, 0], std: [1, 1, 1] } as const

  /** The state after a trial that takes a step and then ends in some way. */
  const after = (end: Effect.Effect<unknown, string>) =>
    Effect.gen(function* () {
      const state = yield* Ref.make<TensorRecord>({ w: float32([1]) })
      const program = {
        read: Ref.get(state),
        write: (given: TensorRecord) => Ref.set(state, given),
        step: () => Ref.set(state, {})
      } as unknown as TrainingProgram
      const trial = onTrial(program, images, train, (batch, at) =>
        Effect.andThen(program.step(batch, at), end)
      )
      yield* Effect.exit(trial)
      return yield* Ref.get(state)
    })

  it.effect("put the state back, also where one fails or is interrupted", () =>
    Effect.gen(function* () {
      for (const end of [
        Effect.succeed(1),
        Effect.fail("out of memory"),
        Effect.die("broken"),
        Effect.interrupt
      ])
        assert.deepStrictEqual(yield* after(end), { w: float32([1]) })
    })
  )
})
