import { readdirSync, readFileSync, rmSync } from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { merge } from "../../src/Config.ts"
import { decodeExperiment, type ExperimentInput } from "../../src/Experiment.ts"
import { decode } from "../../src/Tensor/Safetensors.ts"
import { evaluate } from "../../src/Train.ts"
import { colours, curves, newest, runsOn, temporary } from "../support/Runs.ts"

const { interrupted, layers, run } = runsOn(colours())

/** Six steps an epoch. */
const input: ExperimentInput = {
  name: "tricks",
  data: { dataset: "shapes" },
  augment: [{ _tag: "RandomCrop", padding: 1, mode: "reflect" }],
  model: { _tag: "SimpleCnn", width: 4 },
  train: { epochs: 5, batchSize: 16, learningRate: 0.05, schedule: { _tag: "Cosine" } }
}

const experimentOf = (train: Partial<ExperimentInput["train"]>) => decodeExperiment(merge(input, { train }))

it.live(
  "a run with SWA, Lookahead and batches in parts, interrupted and continued, ends with the same bits",
  () =>
    Effect.gen(function* () {
      const config = yield* experimentOf({
        swa: { start: 2, every: 2 },
        lookahead: { k: 4 },
        gradientAccumulationSteps: 2,
        ema: { decay: 0.9 }
      })
      const [whole, parts] = [yield* temporary, yield* temporary]
      const { result } = yield* run(config, whole)
      // In the third epoch, between two synchronisations, and after the last step of the fourth.
      yield* interrupted(config, parts, 15, false)
      yield* interrupted(config, parts, 9, true)
      const resumed = yield* run(config, parts, { resume: true })
      assert.isTrue(newest(whole).equals(newest(parts)))
      const lines = yield* curves(whole)
      assert.deepStrictEqual(yield* curves(parts), lines)
      assert.strictEqual(resumed.result.loss, result.loss)

      assert.strictEqual(result.weights, "swa")
      const swa = lines.map(({ accuracy }) => accuracy.swa)
      assert.deepStrictEqual(
        swa.map((accuracy) => accuracy !== null),
        [false, true, true, true, true]
      )
      assert.strictEqual(swa[result.epochs - 1], Math.max(...swa.map((accuracy) => accuracy ?? 0)))
      const again = yield* evaluate(whole, "test", { weights: "swa" }).pipe(Effect.provide(layers))
      assert.strictEqual(again.loss, result.loss)
      const { tensors } = decode(newest(whole))
      const kinds = new Set(Object.keys(tensors).map((name) => /^\w+(?=\/)/.exec(name)?.[0] ?? "raw"))
      assert.deepStrictEqual([...kinds].sort(), ["ema", "lookahead", "momentum", "raw", "swa"])
      for (const kind of ["", "ema/", "lookahead/", "momentum/", "swa/"]) {
        assert.deepStrictEqual(tensors[`${kind}conv1.weight`].shape, [4, 3, 3, 3], kind)
      }
    })
)

it.live("SWA without a validation split is measured at the end, and not before", () =>
  Effect.gen(function* () {
    const alone = runsOn(colours(0))
    const config = yield* experimentOf({ epochs: 3, swa: { start: 1 } })
    const directory = yield* temporary
    yield* alone.interrupted(config, directory, 14, false)
    const layers = alone.layers
    const early = yield* Effect.flip(
      evaluate(directory, "test", { weights: "swa" }).pipe(Effect.provide(layers))
    )
    assert.match(early.message, /batch statistics at its end/)
    const { result } = yield* alone.run(config, directory, { resume: true })
    assert.strictEqual(result.weights, "swa")
    assert.match(result.selection, /swa weights of the last epoch/)
    const after = yield* evaluate(directory, "test", { weights: "swa" }).pipe(Effect.provide(layers))
    assert.strictEqual(after.loss, result.loss)
    // Statistics at the start are a mean of 0 and a variance of 1: they were measured.
    const { tensors } = decode(newest(directory))
    assert.isTrue(tensors["swa/bn1.running_mean"].data.every((value) => value !== 0))
  })
)

it.live("SAM and Muon train, and each otherwise than plain SGD", () =>
  Effect.gen(function* () {
    const losses: Array<number> = []
    for (const trick of [
      {},
      { sam: { rho: 0.05 } },
      { sam: { rho: 0.5, adaptive: true } },
      { optimizer: { _tag: "Muon" as const, learningRate: 0.05 } }
    ]) {
      const directory = yield* temporary
      yield* run(yield* experimentOf({ epochs: 3, ...trick }), directory)
      const lines = yield* curves(directory)
      assert.isBelow(lines[2].trainLoss, 0.9 * lines[0].trainLoss, JSON.stringify(trick))
      losses.push(lines[2].trainLoss)
    }
    assert.strictEqual(new Set(losses).size, 4)
  })
)

it.live(
  "a run with SAM, Muon and blocks that are recomputed, interrupted and continued, ends with the same bits",
  () =>
    Effect.gen(function* () {
      const model = { _tag: "PyramidNet", block: "basic", depth: 8, alpha: 4, shakeDrop: { survival: 0.5 } }
      const tricks = {
        ...{
          epochs: 2,
          gradientCheckpointing: true,
          paramGroups: { norm: { weightDecay: 0 }, bias: { weightDecay: 0 } }
        },
        ...{ sam: { rho: 0.05 }, optimizer: { _tag: "Muon", learningRate: 0.05 } }
      }
      const config = yield* decodeExperiment(merge(input, { model, train: tricks }))
      const [whole, parts] = [yield* temporary, yield* temporary]
      yield* run(config, whole)
      yield* interrupted(config, parts, 8, false)
      yield* run(config, parts, { resume: true })
      assert.isTrue(newest(whole).equals(newest(parts)))
      assert.deepStrictEqual(yield* curves(parts), yield* curves(whole))
    })
)

it.live("blocks that are recomputed, also of a batch in parts, give the same run but for rounding", () =>
  Effect.gen(function* () {
    const model = {
      ...{ _tag: "PyramidNet", block: "basic", depth: 14, alpha: 6 },
      shakeDrop: { survival: 0.5 }
    }
    const losses: Array<number> = []
    for (const train of [{}, { gradientCheckpointing: true }]) {
      const directory = yield* temporary
      const whole = { epochs: 1, gradientAccumulationSteps: 2, ...train }
      yield* run(yield* decodeExperiment(merge(input, { model, train: whole })), directory)
      losses.push((yield* curves(directory))[0].trainLoss)
    }
    assert.closeTo(losses[1], losses[0], 1e-3)
  })
)

describe("distillation", () => {
  const taught = (...teachers: ReadonlyArray<string>) =>
    experimentOf({ epochs: 2, distillation: { teachers, temperature: 2, weight: 0.5 } })

  it.live(
    "from finished runs of other architectures is continued with the same bits and the same teachers",
    () =>
      Effect.gen(function* () {
        const [first, second, whole, parts] = [
          yield* temporary,
          yield* temporary,
          yield* temporary,
          yield* temporary
        ]
        yield* run(yield* experimentOf({ epochs: 2 }), first)
        const other = merge(input, {
          model: { _tag: "WideResNet", depth: 10, widenFactor: 1 },
          train: { epochs: 1, ema: { decay: 0.5 } }
        })
        yield* run(yield* decodeExperiment(other), second)
        const config = yield* taught(first, second)
        yield* run(config, whole)
        yield* interrupted(config, parts, 8, false)
        yield* run(config, parts, { resume: true })
        assert.isTrue(newest(whole).equals(newest(parts)))
        const names = Object.keys(decode(newest(parts)).tensors)
        assert.isFalse(names.some((name) => name.startsWith("teacher")))
        const { teachers } = JSON.parse(readFileSync(path.join(whole, "config.json"), "utf8"))
        assert.lengthOf(teachers, 2)
        assert.match(teachers[0], /^[0-9a-f]{64}$/)

        // The first teacher is trained anew, with another seed.
        for (const name of readdirSync(first)) rmSync(path.join(first, name), { recursive: true })
        yield* run({ ...(yield* experimentOf({ epochs: 2 })), seed: 9 }, first)
        const error = yield* Effect.flip(run(config, parts, { resume: true }))
        assert.match(error.message, /teachers: \[.*\] → \[/)
      })
  )

  it.live("is refused from a run that is not finished, has other data or is not there", () =>
    Effect.gen(function* () {
      const [unfinished, finished, directory] = [yield* temporary, yield* temporary, yield* temporary]
      const config = yield* experimentOf({ epochs: 2 })
      const problem = (teacher: string, start = run) =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(start(yield* taught(teacher), directory))
          return error.message
        })
      yield* interrupted(config, unfinished, 3, false)
      assert.match(yield* problem(unfinished), /cannot teach: it has not come to its end/)
      yield* run({ ...config, model: { ...config.model, classes: 6 } }, finished)
      assert.match(yield* problem(finished), /cannot teach: it has 6 classes, not 4/)
      assert.match(yield* problem(finished, runsOn(colours(8)).run), /was trained on .*but this data is/)
      assert.match(yield* problem("nowhere"), /there is no run in nowhere/)
    })
  )

  it.live("shows the teacher whole images where the student sees smaller ones", () =>
    Effect.gen(function* () {
      const [teacher, directory] = [yield* temporary, yield* temporary]
      // A network that takes images of one size only.
      const model = { _tag: "VisionTransformer", patchSize: 4, embedDim: 4, depth: 1, numHeads: 1 }
      yield* run(yield* decodeExperiment(merge(input, { model, train: { epochs: 1 } })), teacher)
      const shrinking = yield* experimentOf({
        epochs: 2,
        progressiveResizing: [{ until: 1, scale: 0.5 }],
        distillation: { teachers: [teacher] }
      })
      const { result } = yield* run(shrinking, directory)
      assert.strictEqual(result.images, 40)
    })
  )
})
