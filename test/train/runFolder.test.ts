import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import { hostname } from "node:os"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Checkpoint } from "../../src/Checkpoint.ts"
import { decodeExperiment } from "../../src/Experiment.ts"
import { float32 } from "../../src/Tensor/HostTensor.ts"
import { describeData } from "../../src/Train/Run/DataDescription.ts"
import { FOLDER_VERSION, type RunConfig } from "../../src/Train/Run/RunConfig.ts"
import { RunError } from "../../src/Train/Run/RunError.ts"
import { type NewFolder, openRun, RunFolder } from "../../src/Train/Run/RunFolder.ts"
import { colours, temporary } from "../support/Runs.ts"

const configOf = Effect.gen(function* () {
  const experiment = yield* decodeExperiment({
    name: "small",
    data: { dataset: "shapes" },
    augment: [],
    model: { _tag: "SimpleCnn", width: 1 },
    train: { epochs: 2, batchSize: 32, learningRate: 0.1, schedule: { _tag: "Cosine" } }
  })
  return {
    version: FOLDER_VERSION,
    command: "test",
    experiment,
    dataset: describeData(colours()),
    environment: { shakedrop: "0", commit: null, node: "v0", tensorflow: "0", device: "none" }
  } satisfies RunConfig
})

const state = (step: number): Checkpoint => ({
  step,
  tensors: { weight: float32([1], Float32Array.of(step)) },
  counters: {}
})

/** Does something in a claimed folder, and gives it back. */
const inNew = <A, E>(folder: NewFolder, use: (run: RunFolder["Service"]) => Effect.Effect<A, E>) =>
  Effect.flatMap(RunFolder, use).pipe(Effect.provide(RunFolder.create(folder)))

const inOld = <A, E>(directory: string, use: (run: RunFolder["Service"]) => Effect.Effect<A, E>) =>
  Effect.flatMap(RunFolder, use).pipe(Effect.provide(RunFolder.resume(directory)))

/** A run with one saved state. */
const begunIn = (directory: string) =>
  inNew(
    { directory },
    Effect.fnUntraced(function* (run) {
      yield* run.writeConfig(yield* configOf)
      yield* run.checkpoints.save(state(1), { keep: 2 })
    })
  )

const refused = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Effect.flip(effect), (error) =>
    Schema.is(RunError)(error) ? Effect.succeed(error) : Effect.die(error)
  )

/** A process that holds the lock of a folder. */
const holder = (directory: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const script = `
        const descriptor = require("fs").openSync(process.argv[1], "a+")
        require("koffi").load(null).func("int flock(int descriptor, int operation)")(descriptor, 6)
        require("fs").writeSync(descriptor, JSON.stringify({ pid: process.pid, host: require("os").hostname() }))
        console.log("locked")
        setInterval(() => {}, 1000)`
      const child: ChildProcess = spawn(process.execPath, ["-e", script, path.join(directory, "lock")], {
        stdio: ["ignore", "pipe", "inherit"]
      })
      await new Promise((resolve) => child.stdout!.once("data", resolve))
      return child
    }),
    (child) =>
      Effect.promise(async () => {
        const ended = new Promise((resolve) => child.once("exit", resolve))
        child.kill("SIGKILL")
        await ended
      })
  )

describe("a run's folder", () => {
  it.live("of one name is another one for each that claims it at the same time", () =>
    Effect.gen(function* () {
      const root = path.join(yield* temporary, "runs")
      const held = yield* inNew({ name: "small", root }, (first) =>
        inNew({ name: "small", root }, (second) =>
          inNew({ name: "small", root }, (third) =>
            Effect.succeed([first, second, third].map(({ directory }) => path.basename(directory)))
          )
        )
      )
      assert.deepStrictEqual(held, ["small", "small-2", "small-3"])
    })
  )

  it.live("is gone again where nothing was saved, with the folders that were made for it", () =>
    Effect.gen(function* () {
      const parent = yield* temporary
      const root = path.join(parent, "runs")
      yield* inNew(
        { name: "small", root },
        Effect.fnUntraced(function* (run) {
          assert.isTrue(fs.existsSync(run.directory))
          yield* run.writeConfig(yield* configOf)
          // The disk is full after the first epoch's best weights: there is no state to continue from.
          yield* run.checkpoints.saveBest(state(1))
          assert.isFalse(yield* run.isSaved)
        })
      )
      assert.deepStrictEqual(fs.readdirSync(parent), [])
      const given = path.join(parent, "given")
      fs.mkdirSync(given)
      fs.writeFileSync(path.join(given, "notes.txt"), "mine")
      yield* inNew({ directory: given }, () => Effect.void)
      assert.deepStrictEqual(fs.readdirSync(given), ["notes.txt"])
    })
  )

  it.live("stays where a state was saved, and is read and continued from there", () =>
    Effect.gen(function* () {
      const directory = path.join(yield* temporary, "run")
      yield* begunIn(directory)
      assert.sameMembers(fs.readdirSync(directory), ["config.json", "checkpoints"])
      assert.strictEqual((yield* openRun(directory).config).command, "test")
      yield* inOld(
        directory,
        Effect.fnUntraced(function* (run) {
          assert.strictEqual(Option.getOrThrow(run.begun).command, "test")
          assert.isTrue(yield* run.isSaved)
        })
      )
      assert.isTrue(fs.existsSync(path.join(directory, "config.json")))
    })
  )

  it.live("with a run, or a part of one, is not taken for a new run", () =>
    Effect.gen(function* () {
      const directory = path.join(yield* temporary, "run")
      yield* begunIn(directory)
      const before = fs.readdirSync(directory)
      const error = yield* refused(inNew({ directory }, () => Effect.void))
      assert.strictEqual(error.reason, "AlreadyThere")
      assert.strictEqual(error.message, `there is already a run in ${directory}`)
      assert.deepStrictEqual(fs.readdirSync(directory), before)
      fs.rmSync(path.join(directory, "config.json"))
      const part = yield* refused(inNew({ directory }, () => Effect.void))
      assert.match(part.message, /^there is already checkpoints of a run in /)
    })
  )

  it.live("has one owner: another one is refused with the process that holds it, and readers are not", () =>
    Effect.gen(function* () {
      const directory = path.join(yield* temporary, "run")
      yield* begunIn(directory)
      yield* inOld(
        directory,
        Effect.fnUntraced(function* () {
          const own = yield* refused(inOld(directory, () => Effect.void))
          assert.strictEqual(own.reason, "InUse")
          assert.include(own.message, `is in use by process ${process.pid} on ${hostname()}`)
          yield* openRun(directory).config
          const { checkpoint } = yield* openRun(directory).checkpoints.find("latest")
          assert.isTrue(Option.isSome(checkpoint))
        })
      )
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { pid } = yield* holder(directory)
          const other = yield* refused(inOld(directory, () => Effect.void))
          assert.include(other.message, `in use by process ${pid}`)
        })
      )
      // It was killed: the folder is free.
      yield* inOld(directory, () => Effect.void)
    })
  )

  it.live("that a killed process left with nothing but its lock is taken for a new run of the name", () =>
    Effect.gen(function* () {
      const root = yield* temporary
      fs.mkdirSync(path.join(root, "small"))
      fs.writeFileSync(path.join(root, "small", "lock"), "of a process that was killed")
      const name = yield* inNew({ name: "small", root }, ({ directory }) =>
        Effect.succeed(path.basename(directory))
      )
      assert.strictEqual(name, "small")
      fs.writeFileSync(path.join(root, "small-2"), "a file")
      fs.writeFileSync(path.join(root, "small", "notes.txt"), "mine")
      const next = yield* inNew({ name: "small", root }, ({ directory }) =>
        Effect.succeed(path.basename(directory))
      )
      assert.strictEqual(next, "small-3")
    })
  )

  it.live("that is removed or moved while its run is trained is not written to any more", () =>
    Effect.gen(function* () {
      const parent = yield* temporary
      const directory = path.join(parent, "run")
      yield* inNew(
        { directory },
        Effect.fnUntraced(function* (run) {
          yield* run.writeConfig(yield* configOf)
          yield* run.checkpoints.save(state(1), { keep: 2 })
          fs.renameSync(directory, path.join(parent, "moved"))
          const error = yield* refused(run.checkpoints.save(state(2), { keep: 2 }))
          assert.strictEqual(error.reason, "FolderGone")
          assert.match(error.message, /was removed, moved or replaced while its run was trained/)
          assert.strictEqual((yield* refused(run.truncateMetrics(1))).reason, "FolderGone")
        })
      )
      assert.deepStrictEqual(fs.readdirSync(parent), ["moved"])
      assert.isTrue(yield* openRun(path.join(parent, "moved")).isBegun)
    })
  )

  it.live("is rid of what a killed process left half-written, and of nothing else", () =>
    Effect.gen(function* () {
      const directory = path.join(yield* temporary, "run")
      yield* begunIn(directory)
      const left = ["config.json.0badf00d.tmp", "metrics.jsonl.12345678.tmp"]
      const mine = ["notes.tmp", "mine.json.0badf00d.tmp"]
      for (const name of [...left, ...mine]) fs.writeFileSync(path.join(directory, name), "half")
      const checkpoints = path.join(directory, "checkpoints")
      fs.writeFileSync(path.join(checkpoints, "best-0000009.safetensors.0badf00d.tmp"), "half")
      yield* inOld(directory, () => Effect.void)
      assert.sameMembers(fs.readdirSync(directory), ["config.json", "checkpoints", ...mine])
      assert.sameMembers(fs.readdirSync(checkpoints), ["step-0000001.json", "step-0000001.safetensors"])
    })
  )

  for (const [what, nameOf, told] of [
    ["an empty name", () => "", /an empty name cannot be a run's folder/],
    [
      "a file",
      (parent: string) => path.join(parent, "file"),
      /file is a file, which cannot be a run's folder/
    ],
    [
      "a path through a file",
      (parent: string) => path.join(parent, "file", "run"),
      /a part of the path is not a folder/
    ],
    ["too long a name", (parent: string) => path.join(parent, "x".repeat(300)), /the name is too long/]
  ] as const) {
    it.live(`cannot be ${what}`, () =>
      Effect.gen(function* () {
        const parent = yield* temporary
        fs.writeFileSync(path.join(parent, "file"), "mine")
        const error = yield* Effect.flip(inNew({ directory: nameOf(parent) }, () => Effect.void))
        assert.match(error.message, told)
        assert.notInclude(error.message, "\n")
        assert.deepStrictEqual(fs.readdirSync(parent), ["file"])
      })
    )
  }

  it.live("of another version says so", () =>
    Effect.gen(function* () {
      const directory = path.join(yield* temporary, "run")
      yield* begunIn(directory)
      const file = path.join(directory, "config.json")
      fs.writeFileSync(file, JSON.stringify({ ...JSON.parse(fs.readFileSync(file, "utf8")), version: 9 }))
      const error = yield* refused(inOld(directory, () => Effect.void))
      assert.strictEqual(error.reason, "Unreadable")
      assert.match(
        error.message,
        /config\.json: it was written by another version of the program \(format 9\)/
      )
    })
  )
})
