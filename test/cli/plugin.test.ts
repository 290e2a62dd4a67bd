/** A plugin's network, step, schedule and loss, from the command line. */
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"

const MAIN = path.resolve("dist/Main.js")
const PLUGIN = path.resolve("test/cli/fixtures/plugin.mjs")

const root = fs.mkdtempSync(path.join(os.tmpdir(), "shakedrop-plugin-"))
afterAll(() => fs.rmSync(root, { recursive: true }))

const start = (...args: ReadonlyArray<string>) => {
  const child: ChildProcess = spawn(process.execPath, [MAIN, ...args], { cwd: root })
  let output = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      output += chunk
    })
  }
  const ended = new Promise<{ readonly code: number | null; readonly output: string }>((resolve) =>
    child.once("close", (code) => resolve({ code, output }))
  )
  return { child, ended }
}

const shakedrop = (...args: ReadonlyArray<string>) => start(...args).ended

const experiment = {
  name: "own",
  data: { dataset: "shapes", validation: 9000 },
  augment: [{ _tag: "RandomHorizontalFlip" }, { _tag: "Lighten", by: 8 }],
  model: { _tag: "OneConvolution", width: 8 },
  train: {
    epochs: 2,
    batchSize: 100,
    learningRate: 0.1,
    schedule: { _tag: "HalfWay", to: 0.01 },
    loss: { _tag: "Focal", gamma: 0.5 },
    saveMinutes: 1e-5
  }
}

const TRAIN = ["train", "--config", "own.json", "--device", "cpu", "--plugin", PLUGIN]

const read = (...parts: ReadonlyArray<string>) =>
  JSON.parse(fs.readFileSync(path.join(root, ...parts), "utf8"))

/** The curves without their times. */
const curvesOf = (run: string) =>
  fs
    .readFileSync(path.join(root, run, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => {
      const { imagesPerSecond: _, seconds: __, waitShare: ___, ...numbers } = JSON.parse(line)
      return numbers
    })

// Each starts processes, which a busy machine runs slowly.
describe("a plugin", { timeout: 300_000 }, () => {
  beforeAll(async () => {
    fs.writeFileSync(path.join(root, "own.json"), JSON.stringify(experiment))
    const { code, output } = await shakedrop(...TRAIN, "--out", "whole", "--workers", "1")
    assert.strictEqual(code, 0, output)
  }, 120_000)

  it("is named in the run's configuration, with the versions of what it brings", () => {
    const { experiment, plugins } = read("whole", "config.json")
    assert.deepStrictEqual(plugins, [
      { file: PLUGIN, names: ["OneConvolution", "Lighten", "HalfWay", "Focal"] }
    ])
    assert.deepStrictEqual(experiment.model, { _tag: "OneConvolution", width: 8, version: 3 })
    assert.deepStrictEqual(experiment.augment[1], { _tag: "Lighten", by: 8, version: 1 })
    assert.deepStrictEqual(
      curvesOf("whole").map(({ lr }) => lr),
      [0.1, 0.01]
    )
  })

  it("resumes: an interrupted run ends with the same curves, whether threads augment or not", async () => {
    const { child, ended } = start(...TRAIN, "--out", "parted")
    const checkpoints = path.join(root, "parted", "checkpoints")
    const watch = setInterval(() => {
      if (!fs.existsSync(checkpoints) || fs.readdirSync(checkpoints).every((name) => !/json$/.test(name)))
        return
      clearInterval(watch)
      child.kill("SIGKILL")
    }, 5)
    await ended.finally(() => clearInterval(watch))
    assert.isFalse(fs.existsSync(path.join(root, "parted", "result.json")))
    const without = await shakedrop("train", "--resume", "--out", "parted", "--device", "cpu")
    assert.strictEqual(without.code, 1)
    assert.match(
      without.output,
      /the run in parted needs OneConvolution.*of the plugin .*plugin\.mjs, which is not loaded: load it with --plugin/
    )
    assert.notMatch(without.output, /\n\s+at /)
    const resumed = await shakedrop(
      "train",
      "--resume",
      "--out",
      "parted",
      "--device",
      "cpu",
      "--plugin",
      PLUGIN
    )
    assert.strictEqual(resumed.code, 0, resumed.output)
    assert.match(resumed.output, /continued after step \d+/)
    assert.deepStrictEqual(curvesOf("parted"), curvesOf("whole"))
  })

  it("lets its network be evaluated and exported", async () => {
    const evaluated = await shakedrop("evaluate", "whole", "--device", "cpu", "--plugin", PLUGIN)
    assert.match(evaluated.output, /^shapes, 2000 test images, raw weights of step \d+: accuracy/m)
    const exported = await shakedrop("export", "whole", "--format", "savedmodel", "--plugin", PLUGIN)
    assert.strictEqual(exported.code, 0, exported.output)
    assert.isTrue(fs.existsSync(path.join(root, "whole", "savedmodel", "saved_model.pb")))
    const without = await shakedrop("export", "whole", "--format", "safetensors")
    assert.match(without.output, /^shakedrop: the run in whole needs OneConvolution/m)
  })

  it("that is none, or is not there, is named in one line", async () => {
    fs.writeFileSync(path.join(root, "none.mjs"), "export default { networks: [] }")
    const none = await shakedrop(...TRAIN.slice(0, -1), "none.mjs", "--out", "none")
    assert.match(none.output, /^shakedrop: the plugin none\.mjs does not export.*models, steps/m)
    const absent = await shakedrop(...TRAIN.slice(0, -1), "absent.mjs", "--out", "none")
    assert.match(absent.output, /^shakedrop: the plugin absent\.mjs cannot be loaded: /m)
    assert.strictEqual(absent.code, 1)
  })
})
