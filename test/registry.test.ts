/** Definitions of a program's own, from the library. */
import { readFileSync } from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { makeTrace } from "../src/Augment/Batch/Breadcrumbs.ts"
import { compile } from "../src/Augment/Compile.ts"
import { defineStep } from "../src/Augment/Step/Step.ts"
import { makeAugmenter } from "../src/Augment.ts"
import { count, positive, share, withDefault } from "../src/Config/Fields.ts"
import { defineSchedule } from "../src/Config/Schedule.ts"
import { evaluateEnsemble, prepare } from "../src/Ensemble.ts"
import { decodeExperiment, type ExperimentInput } from "../src/Experiment.ts"
import { defineModel } from "../src/Model/Define.ts"
import { conv, network, pooledClassifier, sequential } from "../src/Model.ts"
import { type Plugin, Registry, stepsFor } from "../src/Registry.ts"
import { writeReport } from "../src/Report.ts"
import { decode } from "../src/Tensor/Safetensors.ts"
import { defineOptimizer } from "../src/Train/Optimizer/Define.ts"
import { openRun } from "../src/Train/Run/RunFolder.ts"
import { defineLoss } from "../src/Train/Step/Loss.ts"
import { open } from "./ensemble/runs.ts"
import { colours, newest, runsOn, temporary } from "./support/Runs.ts"

const Own = defineModel({
  name: "Own",
  version: 2,
  fields: { width: count.pipe(withDefault(4)) },
  check: ({ width }) => (width % 2 === 0 ? undefined : { path: ["width"], issue: "expected an even width" }),
  capabilities: { recompute: false, resize: false },
  make: ({ classes, size, width }) =>
    network(
      "Own",
      classes,
      pooledClassifier(sequential([conv("conv", { in: 3, out: width, kernel: 3, size })]), width, classes)
    )
})

/** Keeps `lambda` of each image's rows, and takes the others from its partner. */
const Rows = defineStep({
  name: "Rows",
  version: 1,
  on: "batch",
  fields: { lambda: positive },
  compile:
    ({ lambda }, { size: { height, width } }) =>
    () => ({
      name: "Rows",
      lambda,
      mix: (from, to, a, b) => {
        const bytes = height * width * 3
        const kept = Math.round(lambda * height) * width * 3
        for (let i = 0; i < bytes; i++) to[a * bytes + i] = from[(i < kept ? a : b) * bytes + i]
      }
    })
})

const Steady = defineSchedule({ name: "Steady", version: 1, fields: {}, learningRate: (_, base) => base })

/** Half of the squared distance between probabilities and targets (Brier 1950). */
const Brier = defineLoss({
  name: "Brier",
  version: 1,
  fields: { scale: positive.pipe(withDefault(1)) },
  make:
    ({ scale }) =>
    (logits, targets) =>
      tf.mul(tf.mean(tf.sum(tf.square(tf.sub(tf.softmax(logits), targets)), 1)), scale / 2)
})

/** Steps of one length against the sign of each gradient's running mean (Bernstein et al. 2018). Biases keep nothing. */
const SignSgd = defineOptimizer({
  name: "SignSgd",
  version: 1,
  fields: { beta: share.pipe(withDefault(0.9)) },
  make: ({ beta }) => ({
    slots: (kind) => (kind === "bias" ? [] : ["mean"]),
    update: (parameter, gradient, { mean }, { kind, learningRate }) => {
      const direction = kind === "bias" ? gradient : tf.add(tf.mul(mean, beta), tf.mul(gradient, 1 - beta))
      const updated = tf.sub(parameter, tf.mul(learningRate, tf.sign(direction)))
      return { parameter: updated, slots: kind === "bias" ? {} : { mean: direction } }
    }
  })
})

const plugin: Plugin = {
  models: [Own],
  steps: [Rows],
  optimizers: [SignSgd],
  schedules: [Steady],
  losses: [Brier]
}

type Input = (typeof Own | typeof Rows | typeof Steady | typeof Brier | typeof SignSgd)["schema"]["Encoded"]

const input: ExperimentInput<Input> = {
  name: "own",
  data: { dataset: "shapes" },
  augment: [{ _tag: "RandomHorizontalFlip" }, { _tag: "Rows", lambda: 0.5 }],
  model: { _tag: "Own" },
  train: {
    epochs: 1,
    batchSize: 32,
    learningRate: 0.05,
    optimizer: { _tag: "SignSgd" },
    schedule: { _tag: "Steady" },
    loss: { _tag: "Brier" }
  }
}

const registered = Effect.provide(Registry.layer(plugin))

describe("a registry", () => {
  it.effect("decodes what is registered, with its defaults and its version", () =>
    Effect.gen(function* () {
      const experiment = yield* decodeExperiment(input)
      assert.deepStrictEqual(experiment.model as unknown, { _tag: "Own", width: 4, version: 2 })
      assert.deepStrictEqual(experiment.train.loss as unknown, { _tag: "Brier", scale: 1, version: 1 })
      assert.deepStrictEqual(yield* decodeExperiment(JSON.parse(JSON.stringify(experiment))), experiment)
    }).pipe(registered)
  )

  it.effect("does not know it elsewhere", () =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(decodeExperiment(input))
      for (const key of ["model", "augment.1", "train.optimizer", "train.schedule", "train.loss"])
        assert.include(message, `${key}`)
      assert.include(message, "Own")
    })
  )

  it.effect.each<readonly [change: object, message: RegExp]>([
    [{ model: { _tag: "Own", version: 1 } }, /model\.version: expected 2, got 1/],
    [{ model: { _tag: "Own", width: 3 } }, /model\.width: expected an even width, got 3/],
    [{ model: { _tag: "Own", depth: 3 } }, /model\.depth is not a known key/],
    [
      {
        augment: [
          { _tag: "Rows", lambda: 1 },
          { _tag: "Cutout", length: 2 }
        ]
      },
      /only the last step can be Rows/
    ],
    [{ train: { ...input.train, gradientCheckpointing: true } }, /Own has no blocks to recompute/],
    [
      { train: { ...input.train, epochs: 2, progressiveResizing: [{ until: 1, scale: 0.5 }] } },
      /Own takes images of one/
    ]
  ])("refuses %j", ([change, message]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(decodeExperiment({ ...input, ...change }))
      assert.match(error.message, message)
    }).pipe(registered)
  )

  it.effect("refuses a name that is taken, and a definition without a version", () =>
    Effect.gen(function* () {
      const problem = (more: Plugin) =>
        Effect.map(Effect.flip(Effect.provide(Registry, Registry.layer(more))), ({ message }) => message)
      const taken = { ...Own, name: "WideResNet" }
      assert.strictEqual(
        yield* problem({ models: [taken] }),
        "WideResNet is registered twice among the models"
      )
      assert.match(yield* problem({ losses: [Brier, Brier] }), /Brier is registered twice/)
      const { version: _, ...without } = Brier
      assert.match(yield* problem({ losses: [without] }), /Brier.* has no version/)
      const one = Registry.layer({ models: [Own] }, { losses: [Brier] })
      const nested = [Registry.layer({ losses: [Brier] }), Registry.layer({ models: [Own] })] as const
      for (const layer of [one, Layer.provideMerge(...nested)]) {
        const { losses, models } = yield* Effect.provide(Registry, layer)
        assert.strictEqual(losses.at(-1), Brier)
        assert.strictEqual(models.at(-1), Own)
      }
    })
  )
})

it("a step of one's own mixes a batch in its own way", () => {
  const { mixing } = compile([{ _tag: "Rows", lambda: 0.5 } as Input], {
    seed: 1,
    size: { height: 2, width: 1 },
    mean: [0, 0, 0],
    trace: makeTrace(),
    steps: [Rows]
  })
  const to = new Uint8Array(6)
  const drawn = mixing?.(0, 0)
  drawn?.mix(Uint8Array.of(1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4), to, 0, 1)
  assert.deepStrictEqual([...to], [1, 1, 1, 4, 4, 4])
  assert.strictEqual(drawn?.lambda, 0.5)
})

it.effect("batches with a step that threads cannot load are made in the calling thread", () =>
  Effect.gen(function* () {
    const { augment } = yield* decodeExperiment(input)
    const registry = yield* Registry
    assert.isUndefined(stepsFor(registry, augment).modules)
    assert.deepStrictEqual(stepsFor(registry, augment.slice(0, 1)).modules, [])
    const options = {
      batchSize: 8,
      pipeline: augment,
      seed: 1,
      workers: 2,
      steps: stepsFor(registry, augment)
    }
    yield* makeAugmenter(colours(), options)
  }).pipe(registered)
)

it.live("a network, a step, a schedule and a loss of one's own are trained, combined and reported", () =>
  Effect.gen(function* () {
    const folder = yield* temporary
    const dataset = colours()
    const { layers, run } = runsOn(dataset)
    const experiment = yield* decodeExperiment(input)
    const other = yield* decodeExperiment({
      ...input,
      train: { ...input.train, loss: { _tag: "CrossEntropy" } }
    })
    const a = path.join(folder, "a")
    const trained = yield* run(experiment, a)
    yield* run(other, path.join(folder, "b"))
    const kept = Object.keys(decode(newest(a)).tensors).filter((name) => name.startsWith("mean/"))
    assert.deepStrictEqual(kept.sort(), ["mean/conv.weight", "mean/fc.weight"])
    assert.isFalse(newest(a).equals(newest(path.join(folder, "b"))))
    const { plugins } = JSON.parse(readFileSync(path.join(a, "config.json"), "utf8"))
    assert.deepStrictEqual(plugins, [{ names: ["Own", "Rows", "SignSgd", "Steady", "Brier"] }])
    assert.match(readFileSync(yield* Effect.provide(writeReport(trained), layers), "utf8"), /Own/)

    const ensemble = yield* open(folder, [{ run: "a" }, { run: "b" }], { tta: "flip" })
    yield* Effect.gen(function* () {
      yield* prepare(ensemble, "test")
      const { report } = yield* evaluateEnsemble(ensemble, { split: "test", command: "test" })
      assert.strictEqual(report.members.length, 2)
    }).pipe(Effect.provide(layers))
  }).pipe(registered)
)

it.live("a run that needs what is not registered says so", () =>
  Effect.gen(function* () {
    const directory = yield* temporary
    const { run } = runsOn(colours())
    yield* Effect.flatMap(decodeExperiment(input), (experiment) => run(experiment, directory)).pipe(
      registered
    )
    const error = yield* Effect.flip(openRun(directory).config)
    assert.match(
      error.message,
      /needs Own and Rows and SignSgd and Steady and Brier of a program's own plugin, which is not loaded/
    )
  })
)
