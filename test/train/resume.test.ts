import * as fs from "node:fs"
import * as path from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { merge } from "../../src/Config/Overlay.ts"
import { decodeExperiment } from "../../src/Experiment.ts"
import { openRun } from "../../src/Train/Run/RunFolder.ts"
import { evaluate } from "../../src/Train.ts"
import { heardSteps, heardTexts } from "../support/Events.ts"
import { colours, curves, runsOn, temporary } from "../support/Runs.ts"

const dataset = colours()
const { interrupted, layers, run } = runsOn(dataset)

/** Three steps an epoch. */
const experimentOf = (change: unknown = {}) =>
  decodeExperiment(
    merge(
      {
        name: "small",
        data: { dataset: "shapes" },
        augment: [],
        model: { _tag: "SimpleCnn", width: 1 },
        train: { epochs: 3, batchSize: 32, learningRate: 0.1, schedule: { _tag: "Cosine" } }
      },
      change
    )
  )

/** The files of a folder's checkpoints of a kind. */
const files = (directory: string, kind: "best" | "step"): ReadonlyArray<string> => {
  const folder = path.join(directory, "checkpoints")
  const names = fs
    .readdirSync(folder)
    .filter((name) => name.startsWith(kind) && name.endsWith(".safetensors"))
  return names.map((name) => path.join(folder, name))
}

/** Everything in a folder, by path. */
const contents = (directory: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    fs
      .readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name, parentPath }) => path.join(parentPath, name))
      .map((file) => [file, fs.readFileSync(file).toString("base64")])
  )

/** Node's file system, which tells of each file that is read. */
const heardReads = (heard: (file: string) => void) => {
  const reads = (files: FileSystem.FileSystem): FileSystem.FileSystem => ({
    ...files,
    readFile: (file) => {
      heard(path.basename(file))
      return files.readFile(file)
    }
  })
  return Layer.effect(FileSystem.FileSystem, Effect.map(FileSystem.FileSystem, reads)).pipe(
    Layer.provide(NodeFileSystem.layer)
  )
}

describe("a run", () => {
  it.live("is not trained over one that is there, and stays as it was", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const experiment = yield* experimentOf()
      yield* run(experiment, directory)
      const before = contents(directory)
      const error = yield* Effect.flip(run({ ...experiment, seed: 2 }, directory))
      assert.strictEqual(error.message, `there is already a run in ${directory}`)
      assert.deepStrictEqual(contents(directory), before)
    })
  )

  it.live("whose every checkpoint is damaged is not begun anew, and nothing is deleted", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const experiment = yield* experimentOf()
      yield* interrupted(experiment, directory, 7, false)
      for (const file of files(directory, "step")) fs.truncateSync(file, 100)
      const before = contents(directory)
      const said: Array<string> = []
      const error = yield* run(experiment, directory, { resume: true }).pipe(
        heardTexts((text) => said.push(text)),
        Effect.flip
      )
      // Before anything is compiled.
      assert.deepStrictEqual(said, [])
      assert.match(error.message, /every checkpoint of the run in .* is damaged, and nothing was deleted: /)
      assert.match(error.message, /step-0000007\.safetensors is damaged/)
      assert.deepStrictEqual(contents(directory), before)
    })
  )

  it.live("has no epoch twice where it was killed between an epoch's line and its checkpoint", () =>
    Effect.gen(function* () {
      const [whole, killed] = [yield* temporary, yield* temporary]
      const experiment = yield* experimentOf()
      yield* run(experiment, whole)
      // At the last batch of the first epoch, whose line is written then.
      yield* interrupted(experiment, killed, 3, false)
      const [line] = fs.readFileSync(path.join(whole, "metrics.jsonl"), "utf8").split("\n")
      fs.writeFileSync(path.join(killed, "metrics.jsonl"), `${line}\n`)
      const reads: Array<string> = []
      yield* run(experiment, killed, { resume: true }).pipe(
        Effect.provide(heardReads((file) => reads.push(file)))
      )
      assert.deepStrictEqual(yield* curves(killed), yield* curves(whole))
      assert.lengthOf(
        reads.filter((file) => file === "step-0000003.safetensors"),
        1
      )
    })
  )

  it.live("whose best checkpoint is damaged says so and goes on, but is not evaluated with another one", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const experiment = yield* experimentOf()
      yield* interrupted(experiment, directory, 5, false)
      const [best] = files(directory, "best")
      fs.truncateSync(best, 100)
      const asked = evaluate(directory, "validation").pipe(Effect.provide(layers))
      const error = yield* Effect.flip(asked)
      assert.strictEqual(error._tag, "RunError")
      assert.match(error.message, /has no whole best checkpoint: .*best-0000003\.safetensors is damaged/)
      const { step } = yield* evaluate(directory, "validation", { checkpoint: "latest" }).pipe(
        Effect.provide(layers)
      )
      assert.strictEqual(step, 5)
      // Nor with a network that it is not of.
      const config = path.join(directory, "config.json")
      const own = fs.readFileSync(config, "utf8")
      fs.writeFileSync(config, own.replace('"width": 1', '"width": 2'))
      const other = yield* Effect.flip(
        Effect.provide(evaluate(directory, "test", { checkpoint: "latest" }), layers)
      )
      assert.match(
        other.message,
        /step 5 of .* is not of the network .*: conv1\.weight is \[3,3,3,1\], and not \[3,3,3,2\]$/
      )
      fs.writeFileSync(config, own)
      const said: Array<string> = []
      const { result } = yield* run(experiment, directory, { resume: true }).pipe(
        heardTexts((text) => said.push(text))
      )
      assert.isTrue(
        said.some((text) =>
          /best-0000003\.safetensors is damaged.*; the best of the epochs from here on/.test(text)
        ),
        said.join("\n")
      )
      assert.isAtLeast(result.epochs, 2)
    })
  )

  it.live("whose epochs are done is not measured with other weights than its best, nor begun anew", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const experiment = yield* experimentOf()
      yield* run(experiment, directory)
      const refused = Effect.flip(run(experiment, directory, { resume: true }))
      const [best] = files(directory, "best")
      fs.truncateSync(best, 100)
      const damaged = contents(directory)
      assert.match((yield* refused).message, /epochs of the run in .* are done, .*best-.* is damaged/)
      assert.deepStrictEqual(contents(directory), damaged)
      for (const file of fs.readdirSync(path.join(directory, "checkpoints"))) {
        fs.rmSync(path.join(directory, "checkpoints", file))
      }
      const bare = contents(directory)
      assert.match((yield* refused).message, /^the run in .* has numbers of 3 epochs, but no state/)
      fs.rmSync(path.join(directory, "metrics.jsonl"))
      assert.match((yield* refused).message, /^the run in .* has a result, but no state/)
      fs.writeFileSync(
        path.join(directory, "metrics.jsonl"),
        Buffer.from(bare[path.join(directory, "metrics.jsonl")], "base64")
      )
      assert.deepStrictEqual(contents(directory), bare)
    })
  )

  it.live("keeps a best checkpoint that is later than the state that it goes on from, and says so", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const experiment = yield* experimentOf({ train: { epochs: 6, keep: 9 } })
      yield* run(experiment, directory)
      fs.rmSync(path.join(directory, "result.json"))
      const lines = yield* openRun(directory).metrics
      const best = lines.reduce((a, b) => ((b.accuracy.raw ?? 0) > (a.accuracy.raw ?? 0) ? b : a))
      // All states from the best one on are damaged: an earlier one speaks of an earlier best.
      const [first, ...later] = files(directory, "step").toSorted()
      for (const file of later) fs.truncateSync(file, 100)
      assert.isTrue(fs.existsSync(first))
      const said: Array<string> = []
      const { result } = yield* run(experiment, directory, { resume: true }).pipe(
        heardTexts((text) => said.push(text))
      )
      const told = said.some((text) => text.startsWith("the best checkpoint is of epoch "))
      assert.strictEqual(told, best.epoch > 1)
      assert.strictEqual(result.epochs, best.epoch)
      assert.match(result.selection, new RegExp(`epoch ${best.epoch}$`))
    })
  )

  it.live("is not continued on other data; what differs is told", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const experiment = yield* experimentOf()
      yield* interrupted(experiment, directory, 2, false)
      const fewer = colours(30)
      const error = yield* Effect.flip(runsOn(fewer).run(experiment, directory, { resume: true }))
      assert.match(error.message, /is not the same: 2 training images fewer \(/)
    })
  )

  it.live("ends with what happened where its folder is moved while it is trained", () =>
    Effect.gen(function* () {
      const parent = yield* temporary
      const directory = path.join(parent, "run")
      const step = () => {
        if (fs.existsSync(path.join(directory, "config.json")))
          fs.renameSync(directory, path.join(parent, "moved"))
      }
      const experiment = yield* experimentOf()
      const error = yield* Effect.flip(run(experiment, directory).pipe(heardSteps(step)))
      assert.strictEqual(error._tag, "RunError")
      assert.match(error.message, /was removed, moved or replaced while its run was trained/)
      assert.deepStrictEqual(fs.readdirSync(parent), ["moved"])
    })
  )

  it.live("that ends before anything was saved leaves nothing", () =>
    Effect.gen(function* () {
      const parent = yield* temporary
      const directory = path.join(parent, "runs", "run")
      const schedule = { _tag: "LongTraining", warmupEpochs: 0, etaMin: 1e30 }
      const wild = yield* experimentOf({ train: { schedule, learningRate: 1e30 } })
      const error = yield* Effect.flip(run(wild, directory))
      assert.strictEqual(error._tag, "NonFiniteLoss")
      assert.deepStrictEqual(fs.readdirSync(parent), [])
    })
  )
})
