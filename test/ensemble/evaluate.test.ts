import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { LoadedDataset } from "../../src/Data.ts"
import {
  accuracyOf,
  decodeEnsemble,
  type Ensemble,
  evaluateEnsemble,
  fitTemperature,
  greedySelection,
  memberOutputs,
  type Outputs,
  prepare,
  type SearchMethod,
  searchEnsemble
} from "../../src/Ensemble.ts"
import { labelsOf } from "../../src/Train/Evaluate/Logits.ts"
import { softmax } from "../../src/Train/Evaluate/Measures.ts"
import { dataset, open, services, trainedBefore, withData } from "./runs.ts"

const { copies, logits } = trainedBefore({
  a: { train: { epochs: 2 } },
  b: { model: { width: 3 }, seed: 5 }
})

const both = [{ run: "a" }, { run: "b" }]
const IMAGES = 40
const CLASSES = 4
const labels = labelsOf(dataset.test)

const rowsOf = (values: Float32Array): ReadonlyArray<Float32Array> =>
  Array.from({ length: IMAGES }, (_, i) => values.subarray(i * CLASSES, (i + 1) * CLASSES))

const probabilities = (values: Float32Array): ReadonlyArray<number> =>
  rowsOf(values).flatMap((row) => [...softmax(row, new Float64Array(CLASSES))])

const close = (actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-6): void => {
  assert.strictEqual(actual.length, expected.length)
  for (let i = 0; i < actual.length; i++) assert.closeTo(actual[i], expected[i], tolerance)
}

const evaluated = (ensemble: Ensemble) =>
  Effect.andThen(
    prepare(ensemble, "test"),
    evaluateEnsemble(ensemble, { split: "test", command: "test" })
  ).pipe(Effect.provide(services))

const outputsOf = (ensemble: Ensemble, split: "validation" | "test" = "test") =>
  Effect.andThen(prepare(ensemble, split), memberOutputs(ensemble, split)).pipe(Effect.provide(services))

describe("an ensemble that is evaluated", () => {
  it.effect("of one member is that member", () =>
    Effect.gen(function* () {
      const { report, scores } = yield* evaluated(yield* open(yield* copies, [{ run: "a", weight: 0.3 }]))
      const accuracy = accuracyOf({ images: IMAGES, classes: CLASSES, values: logits.a }, labels)
      assert.strictEqual(report.whole.accuracy, accuracy)
      assert.strictEqual(report.members[0].accuracy, accuracy)
      close(scores.values, probabilities(logits.a))
      const { command, images, split } = report
      assert.deepStrictEqual({ command, images, split }, { command: "test", images: IMAGES, split: "test" })
    })
  )

  it.effect("is the mean of its members' probabilities, by their weights", () =>
    Effect.gen(function* () {
      const folder = yield* copies
      const [a, b] = [probabilities(logits.a), probabilities(logits.b)]
      for (const [first, second] of [
        [1, 1],
        [3, 1],
        [0, 2]
      ]) {
        const { report, scores } = yield* evaluated(
          yield* open(folder, [
            { run: "a", weight: first },
            { run: "b", weight: second }
          ])
        )
        const expected = a.map((value, i) => (first * value + second * b[i]) / (first + second))
        close(scores.values, expected)
        const whole = { images: IMAGES, classes: CLASSES, values: Float32Array.from(expected) }
        assert.closeTo(report.whole.accuracy, accuracyOf(whole, labels), 1e-12)
      }
    })
  )

  it.effect("averages probabilities or logits over the views of each member", () =>
    Effect.gen(function* () {
      const folder = yield* copies
      const view = (flip: boolean, weight: number) => ({ _tag: "Window", flip, weight })
      const of = (tta: unknown, ttaMean = "Probabilities") =>
        Effect.map(Effect.flatMap(open(folder, [{ run: "a" }], { tta, ttaMean }), outputsOf), ([a]) => a)
      const still = (yield* of("identity")).values
      const flipped = (yield* of([view(true, 1)])).values
      assert.notDeepEqual(flipped, still)
      const views = [view(false, 3), view(true, 1)]
      const mean = (a: ArrayLike<number>, b: ArrayLike<number>) =>
        Array.from(a, (value, i) => (3 * value + b[i]) / 4)
      close((yield* of(views, "Logits")).values, mean(still, flipped), 1e-5)
      close(
        probabilities((yield* of(views)).values),
        mean(probabilities(still), probabilities(flipped)),
        1e-5
      )
    })
  )
})

/** The data with other labels for its test images. */
const scrambled: LoadedDataset = {
  ...dataset,
  test: { ...dataset.test, labels: dataset.test.labels.map((label) => (label + 1) % CLASSES) }
}

const searched = (ensemble: Ensemble, method: SearchMethod, data: LoadedDataset = dataset) =>
  Effect.andThen(
    Effect.provide(prepare(ensemble, "validation"), services),
    Effect.provide(searchEnsemble(ensemble, method), withData(data))
  )

describe("a search", () => {
  it.effect("gives an ensemble with weights, a temperature and where they come from", () =>
    Effect.gen(function* () {
      const folder = yield* copies
      const ensemble = yield* open(folder, both, { tta: "flip" })
      for (const method of ["equal", "greedy", "convex"] as const) {
        const found = yield* searched(ensemble, method)
        assert.deepStrictEqual(yield* decodeEnsemble(JSON.parse(JSON.stringify(found))), found)
        assert.closeTo(
          found.members.reduce((sum, { weight }) => sum + weight, 0),
          1,
          1e-9
        )
        assert.isAbove(found.temperature ?? 0, 0)
        assert.match(found.selection, /temperature, found on 32 validation images$/)
        assert.strictEqual(found.tta, "flip")
        // What was found before plays no part.
        const again = yield* searched({ ...ensemble, config: { ...found, temperature: 50 } }, method)
        assert.deepStrictEqual(again, found)
      }
    })
  )

  it.effect("looks at validation images alone", () =>
    Effect.gen(function* () {
      const ensemble = yield* open(yield* copies, both)
      const outputs: ReadonlyArray<Outputs> = yield* outputsOf(ensemble, "validation")
      const { weights } = greedySelection("MeanProbabilities", outputs, labelsOf(dataset.validation))
      const found = yield* searched(ensemble, "greedy")
      assert.deepStrictEqual(
        found.members.map(({ weight }) => weight),
        weights
      )
      for (const method of ["greedy", "convex"] as const) {
        assert.deepStrictEqual(
          yield* searched(ensemble, method, scrambled),
          yield* searched(ensemble, method)
        )
      }
    })
  )

  it.effect("fits the temperature to what the rule makes of logits, and none to votes", () =>
    Effect.gen(function* () {
      const folder = yield* copies
      const alone = yield* open(folder, [{ run: "b" }], { rule: "MeanLogits" })
      const [own] = yield* outputsOf(alone, "validation")
      const { temperature } = yield* searched(alone, "equal")
      const fitted = fitTemperature(own, labelsOf(dataset.validation))
      assert.closeTo((temperature ?? 0) / fitted, 1, 1e-3)
      const votes = yield* searched(yield* open(folder, both, { rule: "MajorityVote" }), "greedy")
      assert.notProperty(votes, "temperature")
    })
  )

  it.effect("is refused without validation images, and for a rule that its method does not serve", () =>
    Effect.gen(function* () {
      const folder = yield* copies
      const ensemble = yield* open(folder, both)
      const none = {
        ...dataset,
        validation: { ...dataset.validation, indices: dataset.validation.indices.slice(0, 0) }
      }
      const without = yield* Effect.flip(searched(ensemble, "greedy", none))
      assert.strictEqual(without._tag, "EnsembleError")
      assert.strictEqual(without.message, "colours has no validation images to search on")
      const logits = yield* open(folder, both, { rule: "MeanLogits" })
      const other = yield* Effect.flip(searched(logits, "convex"))
      assert.match(other.message, /^convex weights are found for the rule MeanProbabilities, not for MeanLog/)
    })
  )
})
