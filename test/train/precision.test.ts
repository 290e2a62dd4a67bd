import { readFileSync } from "node:fs"
import * as path from "node:path"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { decodeExperiment } from "../../src/Experiment.ts"
import { heardTexts } from "../support/Events.ts"
import { colours, newest, runsOn, temporary } from "../support/Runs.ts"

const { interrupted, run } = runsOn(colours())

const experiment = (precision: "float32" | "fastest") =>
  decodeExperiment({
    ...{
      name: "precision",
      data: { dataset: "shapes" },
      augment: [],
      model: { _tag: "SimpleCnn", width: 2 }
    },
    train: { epochs: 2, batchSize: 32, learningRate: 0.1, schedule: { _tag: "Cosine" }, precision }
  })

it.live("the fastest precision is measured, said, and written into the run's configuration", () =>
  Effect.gen(function* () {
    const directory = yield* temporary
    const said: Array<string> = []
    yield* run(yield* experiment("fastest"), directory).pipe(heardTexts((text) => said.push(text)))
    const { precision } = JSON.parse(readFileSync(path.join(directory, "config.json"), "utf8")).experiment
      .train
    const line = said.find((text) => text.startsWith("in "))
    const rates = /^in (\w+): (\d+) images\/s in bfloat16, (\d+) in float32$/.exec(line ?? "")
    if (rates === null) {
      assert.deepStrictEqual([precision, line], ["float32", "in float32: this device has no bfloat16"])
    } else {
      assert.strictEqual(precision, rates[1])
      if (precision === "bfloat16") assert.isAtLeast(Number(rates[2]), Number(rates[3]))
      else assert.isAtLeast(Number(rates[3]), Number(rates[2]))
    }
  })
)

it.live("a run that is continued stays in the precision that it began with", () =>
  Effect.gen(function* () {
    const [whole, parts] = [yield* temporary, yield* temporary]
    yield* run(yield* experiment("float32"), whole)
    yield* interrupted(yield* experiment("float32"), parts, 4, false)
    yield* run(yield* experiment("fastest"), parts, { resume: true })
    assert.isTrue(newest(parts).equals(newest(whole)))
  })
)
