import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { photoData, writePhotos } from "../support/Photos.ts"

const MAIN = path.resolve("dist/Main.js")

/** A run of a second or two. It saves a checkpoint after almost every step, of which there are a hundred. */
const EXPERIMENT = {
  name: "small",
  data: { ...photoData, validation: 12 },
  augment: [{ _tag: "RandomCrop", padding: 1, mode: "reflect" }],
  model: { _tag: "SimpleCnn", width: 2 },
  train: {
    epochs: 4,
    batchSize: 8,
    learningRate: 0.05,
    schedule: { _tag: "Cosine" },
    ema: { decay: 0.99 },
    saveMinutes: 1e-5
  }
}
const RUN = ["train", "--device", "cpu", "--config", "small.json"]

const root = mkdtempSync(path.join(tmpdir(), "shakedrop-kill-"))
afterAll(() => rmSync(root, { recursive: true }))

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly output: string
}

const start = (...args: ReadonlyArray<string>): { child: ChildProcess; ended: Promise<Ended> } => {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: root, stdio: ["ignore", "pipe", "pipe"] })
  let output = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk
    })
  }
  const ended = new Promise<Ended>((resolve) =>
    child.once("close", (code, signal) => resolve({ code, signal, output }))
  )
  return { child, ended }
}

const checkpoints = (name: string): ReadonlyArray<string> => {
  const folder = path.join(root, name, "checkpoints")
  const names = existsSync(folder) ? readdirSync(folder) : []
  return names.filter((file) => /^step-\d+\.json$/.test(file)).sort()
}

const lastStep = (name: string): number => Number(/\d+/.exec(checkpoints(name).at(-1) ?? "0")?.[0])

/** Starts a run and sends it a signal once it has saved a checkpoint past `step`. */
const killed = async (name: string, step: number, signal: NodeJS.Signals): Promise<Ended> => {
  const resume = existsSync(path.join(root, name)) ? ["--resume"] : []
  const { child, ended } = start(...RUN, ...resume, "--out", name)
  const watch = setInterval(() => {
    if (lastStep(name) <= step) return
    clearInterval(watch)
    child.kill(signal)
  }, 5)
  return ended.finally(() => clearInterval(watch))
}

/** The newest checkpoint's tensors, and the curves without their times. */
const outcome = (name: string) => ({
  tensors: readFileSync(
    path.join(root, name, "checkpoints", checkpoints(name).at(-1)!.replace("json", "safetensors"))
  ).toString("base64"),
  curves: readFileSync(path.join(root, name, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => {
      const { imagesPerSecond: _, seconds: __, waitShare: ___, ...numbers } = JSON.parse(line)
      return numbers
    })
})

// Each starts several processes, which a busy machine runs slowly.
describe("a run in a process of its own", { timeout: 300_000 }, () => {
  beforeAll(async () => {
    await writePhotos(path.join(root, "photos"), { train: 72, test: 6 })
    writeFileSync(path.join(root, "small.json"), JSON.stringify(EXPERIMENT))
    const { code, output } = await start(...RUN, "--out", "whole").ended
    assert.strictEqual(code, 0, output)
  }, 120_000)

  it("that is killed three times and continued ends with the bits of one that is not", async () => {
    for (const step of [3, 15, 25]) {
      const { output, signal } = await killed("killed", step, "SIGKILL")
      assert.strictEqual(signal, "SIGKILL", output)
      assert.isFalse(existsSync(path.join(root, "killed/result.json")))
    }
    const { code, output } = await start("train", "--resume", "--out", "killed").ended
    assert.strictEqual(code, 0, output)
    assert.match(output, /continued after step \d+/)
    assert.deepStrictEqual(outcome("killed"), outcome("whole"))
  })

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`ends with code 130 after ${signal}, saved and ready to be continued`, async () => {
      const { code, output } = await killed(signal, 5, signal)
      assert.strictEqual(code, 130, output)
      assert.match(output, /interrupted and saved; continue with: npx shakedrop train --resume --out/)
      assert.notMatch(output, /\n\s+at /)
      const step = lastStep(signal)
      const resumed = await start("train", "--resume", "--out", signal).ended
      assert.strictEqual(resumed.code, 0, resumed.output)
      assert.include(resumed.output, `continued after step ${step}`)
      assert.deepStrictEqual(outcome(signal), outcome("whole"))
    })
  }

  it("that is interrupted before anything was saved says so, and its folder is gone again", async () => {
    const { child, ended } = start(...RUN, "--out", "early/run")
    child.stderr!.on("data", (chunk: Buffer) => {
      if (String(chunk).includes("compiling the network")) child.kill("SIGINT")
    })
    const { code, output } = await ended
    assert.strictEqual(code, 130, output)
    assert.match(output, /interrupted before anything was saved/)
    assert.notMatch(output, /continue with/)
    assert.isFalse(existsSync(path.join(root, "early")))
  })

  it("keeps others out of its folder, who are told which process it is", async () => {
    const { child, ended } = start(...RUN, "--set", "train.epochs=500", "--out", "held")
    while (lastStep("held") === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    const told = new RegExp(`^shakedrop: the run in held is in use by process ${child.pid} on `, "m")
    for (const other of [
      ["train", "--resume", "--out", "held"],
      [...RUN, "--out", "held"]
    ]) {
      const { code, output } = await start(...other).ended
      assert.strictEqual(code, 1)
      assert.match(output, told)
    }
    child.kill("SIGKILL")
    await ended
    const resumed = start("train", "--resume", "--out", "held")
    resumed.child.stderr!.on("data", (chunk: Buffer) => {
      if (String(chunk).includes("continued after step")) resumed.child.kill("SIGINT")
    })
    assert.strictEqual((await resumed.ended).code, 130)
  })

  it("is one of three that are started at once, each in a folder of its own", async () => {
    const ended = await Promise.all(
      [1, 2, 3].map((seed) => start(...RUN, "--set", "train.epochs=1", "--seed", String(seed)).ended)
    )
    for (const { code, output } of ended) assert.strictEqual(code, 0, output)
    const folders = readdirSync(path.join(root, "runs"))
    assert.sameMembers(folders, ["small", "small-2", "small-3"])
    const seeds = folders.map(
      (name) => JSON.parse(readFileSync(path.join(root, "runs", name, "config.json"), "utf8")).experiment.seed
    )
    assert.sameMembers(seeds, [1, 2, 3])
  })

  it("is not started over where one is, and is not continued as another", async () => {
    const again = await start(...RUN, "--out", "whole").ended
    assert.strictEqual(again.code, 1)
    assert.match(again.output, /^shakedrop: there is already a run in whole.*--resume/m)
    const other = await start(...RUN, "--set", "train.epochs=5", "--resume", "--out", "whole").ended
    assert.strictEqual(other.code, 1)
    assert.match(other.output, /train\.epochs: 4 → 5/)
  })
})
