/**
 * Absurd values for every number of a configuration: each is refused in one line, or what it asks for is small enough to
 * be made, before memory is taken for it.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { makeTrace } from "../src/Augment/Batch/Breadcrumbs.ts"
import { compile } from "../src/Augment/Compile.ts"
import { makeCanvas } from "../src/Augment/Kernel/Canvas.ts"
import { costOfEpochs } from "../src/Config/Resizing.ts"
import { learningRateAt } from "../src/Config/Schedule.ts"
import { isObject, merge } from "../src/Config.ts"
import { decodeImages } from "../src/Data/ImageFolder/Decode.ts"
import { decodeExperiment, experimentKeys } from "../src/Experiment.ts"
import { makeNetwork } from "../src/Model.ts"
import { recipes } from "../src/Recipe.ts"
import { checkMemory } from "../src/Train/Start/Memory.ts"

const NUMBERS = [0, -1, 1.5, 1000, 1e6, 1e9, 2 ** 53 + 2, 1e300, Number.POSITIVE_INFINITY, Number.NaN]
const OTHERS = ["", "3", "\u001b[2J\n", null, [], { _tag: 3 }]

const shake = { gate: "batch", survival: 0.5, ranges: { alpha: [-1, 1], beta: [0, 1] } }
const policy = [
  [
    ["ShearX", 0.9, 4],
    ["Invert", 0.2, null]
  ]
]

/** Experiments that say everything that can be said, between them. */
const CHANGES = [
  {
    seed: 1,
    data: {
      dataset: "folder",
      directory: "x",
      labels: "fine",
      validation: 1,
      size: [32, 32],
      skipUnreadable: true,
      seed: 0
    },
    augment: [
      { _tag: "RandomCrop", padding: 4, mode: "reflect" },
      { _tag: "RandomHorizontalFlip", p: 0.5 },
      { _tag: "AlternatingFlip" },
      { _tag: "Cutout", length: 8, holes: 1 },
      { _tag: "RandomErasing", p: 0.5, scale: [0.02, 0.33], ratio: [0.3, 3.3], value: "mean" },
      { _tag: "AutoAugment", policy, fill: [0, 0, 0] },
      { _tag: "RandAugment", n: 2, m: 9, bins: 31, fill: [0, 0, 0] },
      { _tag: "TrivialAugmentWide", bins: 31, fill: [0, 0, 0] },
      { _tag: "Mixup", alpha: 1, p: 1 }
    ],
    model: { _tag: "SimpleCnn", width: 4, classes: 10 },
    train: {
      epochs: 8,
      initialWeights: "x.safetensors",
      precision: "float32",
      xla: true,
      batchSize: 8,
      learningRate: 0.1,
      schedule: { _tag: "Cosine", warmupEpochs: 1, etaMin: 0 },
      progressiveResizing: [{ until: 2, scale: 0.5 }],
      optimizer: { _tag: "Sgd", momentum: 0.9, weightDecay: 0 },
      paramGroups: {
        ...{ conv: { lrMultiplier: 1, weightDecay: 0 }, linear: { lrMultiplier: 1, weightDecay: 0 } },
        ...{ norm: { lrMultiplier: 1, weightDecay: 0 }, bias: { lrMultiplier: 1, weightDecay: 0 } },
        embedding: { lrMultiplier: 1, weightDecay: 0 }
      },
      clipGradNorm: 1,
      loss: { _tag: "CrossEntropy" },
      labelSmoothing: 0.1,
      ema: { decay: 0.9 },
      swa: { start: 1, every: 1 },
      lookahead: { k: 5, alpha: 0.5, power: 1 },
      sam: { rho: 0.1, adaptive: false },
      gradientAccumulationSteps: 1,
      batchNorm: "local",
      gradientCompression: "none",
      gradientCheckpointing: false,
      distillation: {
        teachers: ["x", { run: "x", checkpoint: 1, weights: "raw", weight: 1 }],
        temperature: 4,
        weight: 0.9
      },
      evaluateEvery: 1,
      tta: [
        { _tag: "Window", x: 0, y: 0, flip: false, mode: "zero", weight: 1 },
        { _tag: "Augmented", pipeline: [], draws: 2, seed: 1, weight: 1 }
      ],
      keep: 2,
      saveMinutes: 10,
      log: {
        everySteps: 10,
        tensorboard: { directory: "x" },
        mlflow: { url: "http://127.0.0.1:5000", experiment: "x" },
        otlp: { url: "http://127.0.0.1:4318" },
        prometheus: { host: "127.0.0.1", port: 0 }
      }
    }
  },
  { model: { _tag: "PreActResNet", depth: 20, width: 4 } },
  { model: { _tag: "WideResNet", depth: 10, widenFactor: 1, dropRate: 0.1, shakeDrop: shake } },
  { model: { _tag: "PyramidNet", depth: 11, alpha: 3, block: "bottleneck", shakeDrop: shake } },
  { model: { _tag: "DenseNet", depth: 10, growth: 2 } },
  { model: { _tag: "VisionTransformer", patchSize: 8, embedDim: 8, depth: 1, numHeads: 1, resize: 16 } },
  { model: { _tag: "Airbench", widths: [4, 4, 4], convolutions: 2, logitScale: 0.1 } },
  { augment: [{ _tag: "CutMix", alpha: 1, p: 1 }] },
  { augment: [{ _tag: "MixupCutMix", mixupAlpha: 1, cutMixAlpha: 1, switchProb: 0.5, p: 1 }] },
  { train: { optimizer: { _tag: "AdamW", betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 } } },
  {
    train: {
      optimizer: {
        _tag: "Muon",
        learningRate: 0.1,
        nsSteps: 3,
        momentum: 0.6,
        sgd: { momentum: 0.9, weightDecay: 0 }
      }
    }
  },
  { train: { schedule: { _tag: "LongTraining", warmupEpochs: 1, etaMin: 0 } } },
  { train: { schedule: { _tag: "Step", milestones: [2], gamma: 0.1 } } },
  { train: { schedule: { _tag: "OneCycle", pctStart: 0.3, divFactor: 25, finalDivFactor: 1e4 } } },
  { train: { schedule: { _tag: "WarmRestarts", t0: 1, tMult: 2, etaMin: 0 } } },
  { train: { schedule: { _tag: "Linear", warmupEpochs: 1, startFactor: 0.1, endFactor: 0 } } }
]

/** The places of all values, as keys. */
const placesIn = (value: unknown, path: ReadonlyArray<string> = []): ReadonlyArray<ReadonlyArray<string>> => [
  path,
  ...(isObject(value) || Array.isArray(value)
    ? Object.entries(value).flatMap(([key, inner]) => placesIn(inner, [...path, key]))
    : [])
]

const at = (value: unknown, place: ReadonlyArray<string>): unknown =>
  place.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], value)

/** A copy in which one place has another value. */
const replaced = (value: unknown, [key, ...rest]: ReadonlyArray<string>, by: unknown): unknown => {
  if (key === undefined) return by
  if (Array.isArray(value))
    return value.map((inner, i) => (String(i) === key ? replaced(inner, rest, by) : inner))
  const object = value as Readonly<Record<string, unknown>>
  return { ...object, [key]: replaced(object[key], rest, by) }
}

const size = { height: 32, width: 32 }

/** Everything of an experiment that is made before its first step and grows with its numbers. */
const begin = Effect.fnUntraced(function* (input: unknown) {
  const experiment = yield* decodeExperiment(input)
  const { augment, model, train } = experiment
  yield* checkMemory(experiment, makeNetwork(model, { classes: 10, size }), 24e9)
  costOfEpochs(train.progressiveResizing ?? [], 0, train.epochs)
  for (const epoch of [0, train.epochs - 1]) {
    learningRateAt(train.schedule, train.learningRate, {
      epoch,
      step: 0,
      stepsPerEpoch: 3,
      epochs: train.epochs
    })
  }
  const { augment: change } = compile(augment, { seed: 1, size, mean: [0, 0, 0], trace: makeTrace() })
  change(makeCanvas(size.height, size.width), 0, 0)
})

it.effect("every absurd value is refused in one line, or is small enough to be made", () =>
  Effect.gen(function* () {
    const visited = new Set<string>()
    const tried = new Set<string>()
    let refused = 0
    for (const change of CHANGES) {
      const base = merge(recipes.quickstart.experiment, change)
      const whole = yield* Effect.exit(decodeExperiment(base))
      if (Exit.isFailure(whole)) assert.fail(String(whole.cause))
      for (const place of placesIn(base)) {
        const path = place.join(".")
        const old = at(base, place)
        // What is the same in several of the experiments is tried once.
        const known = `${path} of ${JSON.stringify(at(base, place.slice(0, -1)))}`
        if (tried.has(known)) continue
        tried.add(known)
        visited.add(path)
        const values = typeof old === "number" ? [...NUMBERS, ...OTHERS] : OTHERS
        for (const value of values) {
          const exit = yield* Effect.exit(begin(replaced(base, place, value)))
          if (Exit.isSuccess(exit)) continue
          refused++
          const error = yield* Effect.flip(exit)
          assert.match(error._tag, /^(ConfigError|RunError)$/)
          assert.notMatch(error.message, /\n|readonly|undefined|Schema|\[object|Expected/)
          assert.isBelow(error.message.length, 1000)
        }
      }
    }
    assert.isAbove(refused, 1000)
    const all = yield* experimentKeys
    assert.deepStrictEqual(
      all.filter((path) => !visited.has(path)),
      []
    )
  })
)

it.effect("images that are more than the memory are refused before they are read", () =>
  Effect.gen(function* () {
    const found = new Array(1_000_000).fill({ label: 0, path: "none.png" })
    const options = { height: 4096, width: 4096, skipUnreadable: false, onDecoded: () => {} }
    const { message, reason } = yield* Effect.flip(decodeImages("none", found, options))
    assert.strictEqual(reason, "TooLarge")
    assert.match(message, /^1000000 images of 4096×4096 pixels take 50,300 GB of memory: there are /)
  })
)
