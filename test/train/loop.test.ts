import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import * as TestClock from "effect/testing/TestClock"
import { makeAugmenter } from "../../src/Augment.ts"
import type { Checkpoint } from "../../src/Checkpoint.ts"
import { Replicas } from "../../src/Distributed.ts"
import { decodeExperiment } from "../../src/Experiment.ts"
import { makeNetwork } from "../../src/Model.ts"
import { Registry } from "../../src/Registry.ts"
import { float32 } from "../../src/Tensor/HostTensor.ts"
import { runEpochs } from "../../src/Train/Loop.ts"
import { type Counters, START } from "../../src/Train/Run/Counters.ts"
import { describeData } from "../../src/Train/Run/DataDescription.ts"
import { openRun, type RunFolder } from "../../src/Train/Run/RunFolder.ts"
import { SaveRequests } from "../../src/Train/Run/SaveRequests.ts"
import { imagesOf } from "../../src/Train/Start/Network.ts"
import type { TrainingProgram } from "../../src/Train/Step/TrainingProgram.ts"
import { colours } from "../support/Runs.ts"

const dataset = colours()
const size = { height: 8, width: 8 }
const small = makeNetwork({ _tag: "SimpleCnn", width: 1 }, { classes: 4, size })

/** A state as the device has it: weights, and their average. */
const state = Object.fromEntries(
  Object.entries(small.init(1)).flatMap(([name, value]) => [
    [name, value],
    [`swa/${name}`, value]
  ])
)

/** A folder in which states are only noted. */
const notedIn = (saved: Array<Checkpoint>): RunFolder["Service"] => ({
  ...openRun("nowhere"),
  begun: Option.none(),
  isSaved: Effect.die("not asked"),
  writeConfig: () => Effect.die("not begun"),
  truncateMetrics: () => Effect.die("not continued"),
  writeResult: () => Effect.die("not finished"),
  appendMetrics: () => Effect.void,
  checkpoints: {
    save: (checkpoint) => Effect.sync(() => saved.push(checkpoint)),
    saveBest: () => Effect.void,
    saveSnapshot: () => Effect.die("no cycle ends"),
    find: () => Effect.die("not read"),
    identify: () => Effect.die("not read")
  }
})

/** A program that computes nothing, notes what it is told, and measures statistics with `measure`. */
const noted = (calls: Array<string>, measure: Effect.Effect<void>): TrainingProgram => ({
  step: (_, { step }) =>
    Effect.sync(() => {
      calls.push(`step ${step}`)
      return { loss: 1, correct: 0, gradientNorm: 1 }
    }),
  profile: () => Effect.succeed([]),
  classify: () => () => Effect.succeed(float32([32, 4])),
  average: (_, n) => Effect.sync(() => calls.push(`average ${n}`)),
  measureStatistics: (_, { index }) =>
    Effect.andThen(
      Effect.sync(() => calls.push(`measure ${index}`)),
      measure
    ),
  read: Effect.succeed(state),
  write: () => Effect.void,
  restart: () => Effect.void,
  sum: Effect.succeed,
  adopt: Effect.void,
  abort: Effect.void
})

it.live("weights are averaged once, also where the run is interrupted before their evaluation is done", () =>
  Effect.gen(function* () {
    const experiment = yield* decodeExperiment({
      ...{ name: "loop", data: { dataset: "shapes" }, augment: [], model: { _tag: "SimpleCnn", width: 1 } },
      train: {
        ...{ epochs: 2, batchSize: 32, learningRate: 0.1, schedule: { _tag: "Cosine" } },
        swa: { start: 1 }
      }
    })
    const saved: Array<Checkpoint> = []
    const augmenter = yield* makeAugmenter(dataset, { batchSize: 32, pipeline: [], seed: 1 })
    const registry = yield* Registry
    const replicas = yield* Replicas
    const runWith = (program: TrainingProgram, start: Counters) =>
      runEpochs(
        {
          ...{ experiment, dataset, augmenter, program, registry, replicas },
          network: small,
          images: imagesOf(experiment, describeData(dataset)),
          folder: notedIn(saved)
        },
        start
      )

    const calls: Array<string> = []
    const measuring = yield* Deferred.make<void>()
    const stuck = Effect.andThen(Deferred.succeed(measuring, undefined), Effect.never)
    const fiber = yield* Effect.forkChild(runWith(noted(calls, stuck), START))
    yield* Deferred.await(measuring)
    yield* Fiber.interrupt(fiber)
    assert.deepStrictEqual(calls, ["step 0", "step 1", "step 2", "average 1", "measure 0"])
    assert.lengthOf(saved, 1)
    assert.strictEqual(saved[0].step, 3)

    calls.length = 0
    yield* runWith(noted(calls, Effect.void), saved[0].counters as Counters)
    const measured = ["measure 0", "measure 1", "measure 2"]
    assert.deepStrictEqual(calls, [...measured, "step 3", "step 4", "step 5", "average 2", ...measured])
  })
)

it.effect("a checkpoint is saved whenever so many minutes have gone by", () =>
  Effect.gen(function* () {
    const batchSize = 8
    const experiment = yield* decodeExperiment({
      ...{ name: "loop", data: { dataset: "shapes" }, augment: [], model: { _tag: "SimpleCnn", width: 1 } },
      train: {
        ...{ epochs: 1, batchSize, learningRate: 0.1, schedule: { _tag: "Cosine" } },
        saveMinutes: 10
      }
    })
    const saved: Array<Checkpoint> = []
    const program = noted([], Effect.void)
    yield* runEpochs(
      {
        ...{ experiment, dataset },
        network: small,
        images: imagesOf(experiment, describeData(dataset)),
        registry: yield* Registry,
        replicas: yield* Replicas,
        augmenter: yield* makeAugmenter(dataset, { batchSize, pipeline: [], seed: 1 }),
        folder: notedIn(saved),
        program: {
          ...program,
          step: (batch, at) => Effect.tap(program.step(batch, at), TestClock.adjust("3 minutes"))
        }
      },
      START
    )
    assert.deepStrictEqual(
      saved.map(({ step }) => step),
      [4, 8, 12, 12]
    )
    assert.deepStrictEqual(
      saved.map(({ counters }) => (counters as Counters).epoch),
      [0, 0, 0, 1]
    )
  }).pipe(Effect.scoped)
)

it.effect("a training is seen by tracers and metric exporters, where there are any", () =>
  Effect.gen(function* () {
    const experiment = yield* decodeExperiment({
      ...{ name: "loop", data: { dataset: "shapes" }, augment: [], model: { _tag: "SimpleCnn", width: 1 } },
      train: { epochs: 2, batchSize: 32, learningRate: 0.1, schedule: { _tag: "Cosine" } }
    })
    const registry = yield* Registry
    const replicas = yield* Replicas
    const saved: Array<Checkpoint> = []
    const run = Effect.gen(function* () {
      const augmenter = yield* makeAugmenter(dataset, { batchSize: 32, pipeline: [], seed: 1 })
      const program = noted([], Effect.void)
      return yield* runEpochs(
        {
          ...{ experiment, dataset, augmenter, program, registry, replicas },
          network: small,
          images: imagesOf(experiment, describeData(dataset)),
          folder: notedIn(saved)
        },
        START
      )
    }).pipe(Effect.scoped)
    const spans: Array<string> = []
    const tracer = Tracer.make({
      span: (options) => {
        if (options.name.startsWith("shakedrop.")) spans.push(options.name)
        return new Tracer.NativeSpan(options)
      }
    })
    yield* Effect.provideService(run, Tracer.Tracer, tracer)
    const steps = Math.floor(dataset.train.indices.length / 32)
    const count = (name: string) => spans.filter((each) => each === `shakedrop.${name}`).length
    assert.strictEqual(count("epoch"), 2)
    assert.strictEqual(count("step"), 2 * steps)
    assert.strictEqual(count("evaluate"), 2)
    assert.isAtLeast(count("checkpoint"), 2)
    const metrics = yield* Metric.snapshot
    const loss = metrics.find(({ id }) => id === "shakedrop_loss")
    assert.deepInclude(loss?.state, { value: 1 })
  })
)

it.effect("a training saves when it is asked to, in an evaluation too, and goes on", () =>
  Effect.gen(function* () {
    const experiment = yield* decodeExperiment({
      ...{ name: "loop", data: { dataset: "shapes" }, augment: [], model: { _tag: "SimpleCnn", width: 1 } },
      train: { epochs: 1, batchSize: 32, learningRate: 0.1, schedule: { _tag: "Cosine" } }
    })
    const saved: Array<Checkpoint> = []
    const calls: Array<string> = []
    // Asked before the first step, where there is nothing to save yet, and in the middle of the evaluation.
    const asked = [true, false, false, true]
    const requests = { take: () => asked.shift() ?? false }
    yield* runEpochs(
      {
        ...{ experiment, dataset, program: noted(calls, Effect.void) },
        network: small,
        images: imagesOf(experiment, describeData(dataset)),
        registry: yield* Registry,
        replicas: yield* Replicas,
        augmenter: yield* makeAugmenter(dataset, { batchSize: 32, pipeline: [], seed: 1 }),
        folder: notedIn(saved)
      },
      START
    ).pipe(Effect.provideService(SaveRequests, requests))
    assert.deepStrictEqual(calls, ["step 0", "step 1", "step 2"])
    assert.deepStrictEqual(
      saved.map(({ counters, step }) => [step, (counters as Counters).epoch]),
      [
        [1, 0],
        [3, 0],
        [3, 1]
      ]
    )
  }).pipe(Effect.scoped)
)
