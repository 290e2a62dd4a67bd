/** What programs import: the package's parts, and its types by their names, which `tsc` checks here. */
import { readFileSync } from "node:fs"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as shakedrop from "../src/index.ts"

const model: shakedrop.Model.ModelInput = { _tag: "SimpleCnn", width: 4 }
const data: shakedrop.Config.DataInput = { dataset: "shapes" }
const step: shakedrop.Augment.StepInput = { _tag: "RandomHorizontalFlip" }
const schedule: shakedrop.Config.ScheduleInput = { _tag: "Step", milestones: [1] }
const optimizer: shakedrop.Train.OptimizerInput = { _tag: "Sgd" }
const loss: shakedrop.Train.LossInput = { _tag: "CrossEntropy" }
const train = { epochs: 2, batchSize: 8, learningRate: 0.1, schedule, optimizer, loss }
const input: shakedrop.Experiment.ExperimentInput = { name: "own", data, augment: [step], model, train }
const ensemble: shakedrop.Ensemble.EnsembleInput = { name: "two", data, members: [{ run: "runs/own" }] }

/** A run and its report: without a callback, in one call. */
const trained = (experiment: shakedrop.Experiment.Experiment) =>
  shakedrop.Train.train(experiment, { command: "node own.mjs", whenTrained: shakedrop.Report.writeReport })

it.effect("inputs are named types, and what is decoded is one too", () =>
  Effect.gen(function* () {
    const experiment: shakedrop.Experiment.Experiment = yield* shakedrop.Experiment.decodeExperiment(input)
    assert.strictEqual(experiment.name, "own")
    assert.strictEqual((yield* shakedrop.Ensemble.decodeEnsemble(ensemble)).members.length, 1)
    assert.isTrue(Effect.isEffect(trained(experiment)))
  })
)

it("everything that the README says is exported is", () => {
  const readme = readFileSync("README.md", "utf8")
  const [, parts] = /`shakedrop(\/Config`.*?) are the parts/s.exec(readme) ?? []
  const names = Array.from((parts ?? "").matchAll(/\/(\w+)/g), ([, name]) => name)
  assert.isAtLeast(names.length, 16)
  const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as { readonly exports: object }
  assert.sameMembers(
    Object.keys(exports).filter((name) => name !== "." && !name.endsWith(".json")),
    names.map((name) => `./${name}`)
  )
  for (const name of names) assert.property(shakedrop, name)
})
