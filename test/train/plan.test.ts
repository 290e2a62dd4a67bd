import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { merge } from "../../src/Config/Overlay.ts"
import { averageOptions } from "../../src/Config/Train.ts"
import { findRecipe, recipes } from "../../src/Recipe.ts"
import { type Asked, planNew, planResumed } from "../../src/Train/Plan.ts"
import { smokeExperiment } from "../../src/Train/Probe/DryRun.ts"
import { type DataDescription, dataDifference } from "../../src/Train/Run/DataDescription.ts"
import { FOLDER_VERSION } from "../../src/Train/Run/RunConfig.ts"
import { temporary } from "../support/Runs.ts"

const whole = {
  name: "mine",
  data: { dataset: "shapes" },
  augment: [],
  model: { _tag: "SimpleCnn", width: 1 },
  train: { epochs: 2, batchSize: 32, learningRate: 0.1, schedule: { _tag: "Cosine" } }
}

const data: DataDescription = {
  name: "shapes",
  fingerprint: "a",
  classes: ["cat", "dog"],
  size: { height: 8, width: 8 },
  images: { train: [10, 10], test: [5, 5] },
  mean: [0.5, 0.5, 0.5],
  std: [0.2, 0.2, 0.2]
}

const fresh = (asked: Partial<Asked>) => planNew({ root: "runs", ...asked }, findRecipe)

describe("the plan of a new run", () => {
  it.effect("is the recipe for the images that are drawn where nothing is asked for", () =>
    Effect.gen(function* () {
      const { experiment, folder, smoke } = yield* fresh({})
      assert.strictEqual(experiment.name, "quickstart")
      assert.deepStrictEqual(folder, { begins: { name: "quickstart", root: "runs" } })
      assert.isFalse(smoke)
    })
  )

  it.effect("is the recipe for photographs where a data set of them is asked for, however it is", () =>
    Effect.gen(function* () {
      const photographs = { data: { dataset: "cifar10", directory: "/data" } }
      const ways = [
        { values: photographs },
        { file: photographs },
        { assignments: ["data.dataset=cifar10", "data.directory=/data"] }
      ]
      for (const way of ways) assert.strictEqual((yield* fresh(way)).experiment.name, "simple-cnn")
    })
  )

  it.effect("lays the file over the recipe, values over the file, and assignments over all", () =>
    Effect.gen(function* () {
      const { experiment } = yield* fresh({
        recipe: "quickstart",
        file: { seed: 2, train: { epochs: 7, batchSize: 16 }, name: "laid" },
        values: { seed: 3, train: {} },
        assignments: ["train.epochs=8", "train.epochs=9"]
      })
      const { batchSize, epochs, learningRate } = experiment.train
      const { train } = recipes.quickstart.experiment
      assert.deepStrictEqual([epochs, batchSize, learningRate], [9, 16, train.learningRate])
      assert.strictEqual(experiment.seed, 3)
      assert.strictEqual(experiment.name, "laid")
    })
  )

  it.effect(
    "takes a whole file as it is, and one with parts of an experiment for what differs from a recipe",
    () =>
      Effect.gen(function* () {
        const { experiment } = yield* fresh({ file: whole })
        assert.strictEqual(experiment.name, "mine")
        assert.isUndefined(averageOptions(experiment.train, "ema"))
        for (const file of [[1], 3, "x", null]) {
          const { message } = yield* Effect.flip(fresh({ file }))
          assert.match(message, /^wrong configuration: expected an object, got /)
        }
        const { experiment: partly } = yield* fresh({ file: { train: { epochs: 3 } } })
        assert.strictEqual(partly.name, "quickstart")
        assert.strictEqual(partly.train.epochs, 3)
      })
  )

  it.effect("of a trial has its own name; a folder that is given is taken", () =>
    Effect.gen(function* () {
      const { experiment, smoke } = yield* fresh({ file: whole, smoke: true })
      assert.strictEqual(experiment.name, "mine-smoke")
      assert.isTrue(smoke)
      assert.deepStrictEqual((yield* fresh({ file: whole, out: "there" })).folder, {
        begins: { directory: "there" }
      })
    })
  )

  it.effect("fails with wrong values, unknown recipes, and weights to start from that are not there", () =>
    Effect.gen(function* () {
      const wrong = yield* Effect.flip(fresh({ assignments: ["train.epochs=0"] }))
      assert.match(wrong.message, /train\.epochs: expected/)
      assert.match((yield* Effect.flip(fresh({ recipe: "none" }))).message, /there is no recipe none/)
      const error = yield* Effect.flip(fresh({ assignments: ["train.initialWeights=none.safetensors"] }))
      assert.strictEqual(error._tag, "RunError")
      assert.match(error.message, /there is no file none\.safetensors/)
    })
  )
})

/** A folder of runs: their names, and what differs of their experiments from `whole`. */
const runsOf = Effect.fnUntraced(function* (runs: Readonly<Record<string, unknown>>) {
  const root = yield* temporary
  for (const [name, change] of Object.entries(runs)) {
    const { experiment } = yield* planNew({ root, file: merge(whole, change) }, findRecipe)
    const config = {
      version: FOLDER_VERSION,
      command: "test",
      experiment: name.endsWith("-smoke") ? smokeExperiment(experiment) : experiment,
      dataset: data,
      environment: { shakedrop: "0", commit: null, node: "v0", tensorflow: "0", device: "none" }
    }
    fs.mkdirSync(path.join(root, name))
    fs.writeFileSync(path.join(root, name, "config.json"), JSON.stringify(config))
  }
  return root
})

describe("the plan of a run that is continued", () => {
  it.effect("is its own experiment, in the folder that is given or the newest of the name", () =>
    Effect.gen(function* () {
      const root = yield* runsOf({ mine: {}, "mine-2": {}, "mine-10": { seed: 4 }, "mine-other": {} })
      fs.mkdirSync(path.join(root, "mine-11"))
      const newest = yield* planResumed({ root, assignments: ["name=mine"] })
      assert.deepStrictEqual(newest.folder, { continues: path.join(root, "mine-10") })
      assert.strictEqual(newest.experiment.seed, 4)
      const out = path.join(root, "mine-2")
      assert.deepStrictEqual((yield* planResumed({ root, out })).folder, { continues: out })
      const none = yield* Effect.flip(planResumed({ root, recipe: "quickstart" }))
      assert.match(none.message, /there is no run of quickstart in .* to continue/)
    })
  )

  it.effect("names what was asked for and differs, and nothing else", () =>
    Effect.gen(function* () {
      const root = yield* runsOf({ mine: { model: { width: 3 }, train: { epochs: 5 } } })
      const out = path.join(root, "mine")
      const same = yield* planResumed({ root, out, assignments: ["train.epochs=5"] })
      assert.strictEqual(same.experiment.model._tag, "SimpleCnn")
      const error = yield* Effect.flip(planResumed({ root, out, assignments: ["train.epochs=30"] }))
      assert.strictEqual(error._tag, "RunError")
      assert.strictEqual(error.message, `the run in ${out} has another configuration (train.epochs: 5 → 30)`)
      const other = yield* Effect.flip(planResumed({ root, out, recipe: "quickstart" }))
      assert.include(other.message, '(name: "mine" → "quickstart")')
    })
  )

  it.effect("may have its data elsewhere, and other intervals of saving", () =>
    Effect.gen(function* () {
      const folder = { data: { dataset: "folder", directory: "/before" } }
      const root = yield* runsOf({ mine: folder })
      const out = path.join(root, "mine")
      const gone = yield* Effect.flip(planResumed({ root, out }))
      assert.match(gone.message, /the data of the run in .*mine are not in \/before/)
      const after = yield* temporary
      const { experiment } = yield* planResumed({
        root,
        out,
        values: { data: { directory: after } },
        assignments: ["train.keep=5", "train.saveMinutes=1"]
      })
      assert.strictEqual(experiment.data.directory, after)
      assert.deepStrictEqual([experiment.train.keep, experiment.train.saveMinutes], [5, 1])
    })
  )

  it.effect("has the precision that was measured when it began", () =>
    Effect.gen(function* () {
      const root = yield* runsOf({ mine: { train: { precision: "bfloat16" } } })
      yield* planResumed({ root, out: path.join(root, "mine"), assignments: ["train.precision=fastest"] })
    })
  )

  it.effect("of a trial is a trial, and that of another run is none", () =>
    Effect.gen(function* () {
      const root = yield* runsOf({ "mine-smoke": {}, mine: {} })
      const out = path.join(root, "mine-smoke")
      assert.isTrue((yield* planResumed({ root, out })).smoke)
      const named = yield* planResumed({ root, file: whole, smoke: true })
      assert.deepStrictEqual(named.folder, { continues: out })
      const error = yield* Effect.flip(planResumed({ root, out: path.join(root, "mine"), smoke: true }))
      assert.match(error.message, /is not a trial/)
    })
  )
})

describe("the difference of two data sets", () => {
  const other = (change: Partial<DataDescription>) =>
    dataDifference(data, { ...data, fingerprint: "b", ...change })

  it("is none where the fingerprints agree", () => {
    assert.isUndefined(dataDifference(data, { ...data, name: "elsewhere" }))
  })

  it("counts images that were added and removed, by class", () => {
    assert.strictEqual(
      other({ images: { train: [13, 9], test: [4, 5] } }),
      "2 training images more (cat +3, dog −1); 1 test image fewer (cat −1)"
    )
  })

  it("tells labels, classes, size and pixels apart", () => {
    assert.strictEqual(
      other({ images: { train: [12, 8], test: [5, 5] } }),
      "as many training images, with other labels (cat +2, dog −2)"
    )
    assert.strictEqual(other({ classes: ["cat", "cow"] }), "new classes cow; no longer classes dog")
    assert.strictEqual(other({ classes: ["dog", "cat"] }), "its classes are in another order")
    assert.strictEqual(other({ size: { height: 9, width: 8 } }), "images of 9×8, not 8×8")
    assert.strictEqual(other({}), "as many images of each class, but other pixels or another order")
  })
})
