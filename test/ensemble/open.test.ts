import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { openEnsemble } from "../../src/Ensemble.ts"
import type { View } from "../../src/Train/Evaluate/View.ts"
import { describeData } from "../../src/Train/Run/DataDescription.ts"
import type { RunConfig } from "../../src/Train/Run/RunConfig.ts"
import { dataset, decoded, open, trainedBefore } from "./runs.ts"

const restarts = { seed: 3, train: { epochs: 2, schedule: { _tag: "WarmRestarts", t0: 1 } } }
const { copies } = trainedBefore({ a: {}, b: { seed: 2, train: { ema: { decay: 0.5 } } }, c: restarts })

/** Changes what a run says of itself. */
const edit = (folder: string, run: string, change: (config: RunConfig) => RunConfig): void => {
  const file = path.join(folder, run, "config.json")
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, "utf8")))))
}

const removeCheckpoints = (folder: string, run: string, kind: string): void => {
  const checkpoints = path.join(folder, run, "checkpoints")
  for (const name of readdirSync(checkpoints)) if (name.startsWith(kind)) rmSync(path.join(checkpoints, name))
}

const both = [{ run: "a" }, { run: "b" }]

/** Why an ensemble cannot be opened, in one line. */
const refused = (folder: string, members: Parameters<typeof open>[1] = both) =>
  Effect.map(Effect.flip(open(folder, members)), ({ message }) => {
    assert.notInclude(message, "\n")
    return message.replaceAll(folder, "FOLDER")
  })

describe("an ensemble", () => {
  it.effect("has its members in order, with names, weights, and keys that are their weights'", () =>
    Effect.gen(function* () {
      const folder = yield* copies
      const { members, views } = yield* open(folder, [
        { run: "b", weight: 2 },
        { run: "a" },
        { run: "c", checkpoint: 1 },
        { run: "c", checkpoint: 2, weight: 0 },
        { run: "b", weights: "raw" },
        { run: "a", checkpoint: "best" },
        {
          soup: [
            { run: "c", checkpoint: 1 },
            { run: "c", checkpoint: 2 }
          ]
        }
      ])
      assert.deepStrictEqual(
        members.map(({ name, weight }) => [name, weight]),
        [
          ["b (ema)", 2],
          ["a (raw)", 1],
          ["c (raw, snapshot 1)", 1],
          ["c (raw, snapshot 2)", 0],
          ["b (raw)", 1],
          ["a (raw)", 1],
          ["soup of c (raw, snapshot 1), c (raw, snapshot 2)", 1]
        ]
      )
      const keys = members.map(({ key }) => key)
      assert.strictEqual(keys[5], keys[1])
      assert.strictEqual(new Set(keys).size, 6)
      assert.strictEqual(views.length, 1)
    })
  )

  it.effect("has members that know the same classes in the same order", () =>
    Effect.gen(function* () {
      const folder = yield* copies
      const classes = ["red", "green", "blue", "grey"]
      edit(folder, "b", (config) => ({ ...config, dataset: { ...config.dataset, classes } }))
      const other = yield* refused(folder)
      assert.match(
        other,
        /^the run in FOLDER\/b knows other classes \(red, green, blue, …; 4 of them\) than /
      )
      const turned = ["green", "red", "blue", "white"]
      edit(folder, "b", (config) => ({ ...config, dataset: { ...config.dataset, classes: turned } }))
      const order = yield* refused(folder)
      assert.match(order, /^the run in FOLDER\/b has the classes of colours in another order \(green, red, /)
    })
  )

  it.effect("has members of the same data and the same validation images", () =>
    Effect.gen(function* () {
      const folder = yield* copies
      edit(folder, "b", (config) => ({ ...config, dataset: { ...config.dataset, fingerprint: "else" } }))
      assert.match(
        yield* refused(folder),
        /^the run in FOLDER\/b was trained on colours, but this data is colours, and is not the same \(as many/
      )
      for (const change of [{ seed: 7 }, { validation: 8 }]) {
        const others = yield* copies
        edit(others, "b", ({ experiment, ...config }) => ({
          ...config,
          experiment: { ...experiment, data: { ...experiment.data, ...change } }
        }))
        assert.match(
          yield* refused(others),
          /^the runs in FOLDER\/a and FOLDER\/b hold out different validation images/
        )
        // Each alone fits itself.
        yield* open(others, [{ run: "b" }])
      }
    })
  )

  it.effect("has members of runs, checkpoints and snapshots that are there", () =>
    Effect.gen(function* () {
      const folder = yield* copies
      assert.match(yield* refused(folder, [{ run: "a" }, { run: "x" }]), /^there is no run in FOLDER\/x: /)
      const snapshot = [{ run: "a" }, { run: "c", checkpoint: 3 }]
      assert.strictEqual(yield* refused(folder, snapshot), "the run in FOLDER/c has no snapshot 3")
      const soup = [{ soup: [{ run: "a" }, { run: "a", checkpoint: 1 }] }]
      assert.strictEqual(yield* refused(folder, soup), "the run in FOLDER/a has no snapshot 1")
      const weights = [{ run: "a", weights: "ema" }]
      assert.strictEqual(
        yield* refused(folder, weights),
        "the run in FOLDER/a has no ema weights: it has raw"
      )
      removeCheckpoints(folder, "b", "best-")
      const missing =
        /^the run in FOLDER\/b cannot be a member: FOLDER\/b\/checkpoints\/best-\d+\.json is missing$/
      for (const members of [both, [{ run: "a" }, { run: "b", checkpoint: "best" }]]) {
        assert.match(yield* refused(folder, members), missing)
      }
      yield* open(folder, [{ run: "a" }, { run: "b", checkpoint: "latest" }])
      removeCheckpoints(folder, "b", "step-")
      assert.strictEqual(yield* refused(folder), "the run in FOLDER/b has no checkpoint")
    })
  )

  it.effect("takes views of a program's own, which keep the shape of images", () =>
    Effect.gen(function* () {
      const folder = yield* copies
      const config = yield* decoded(folder, both)
      const data = describeData(dataset)
      const grey: View = { key: "grey", weight: 1, apply: ({ pixels }) => void pixels.fill(128) }
      const { views } = yield* openEnsemble(config, data, { views: [grey] })
      assert.deepStrictEqual(views, [grey])
      const half: View = {
        ...{ key: "half", weight: 1 },
        apply: (canvas) => {
          canvas.pixels = canvas.pixels.slice(0, canvas.pixels.length / 2)
        }
      }
      const error = yield* Effect.flip(openEnsemble(config, data, { views: [grey, half] }))
      assert.strictEqual(error._tag, "EnsembleError")
      assert.match(error.message, /^the view half [^\n]*: a view keeps the shape$/)
    })
  )
})
