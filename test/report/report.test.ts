import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import sharp from "sharp"
import { Dataset, type LoadedDataset, type PerChannel } from "../../src/Data.ts"
import { decodeExperiment } from "../../src/Experiment.ts"
import { quickstart } from "../../src/Recipe/Quickstart.ts"
import { confusedPairs } from "../../src/Report/Confusion.ts"
import { html } from "../../src/Report/Page/Html.ts"
import { mostConfidentlyWrong, predictionsOf, someCorrect } from "../../src/Report/Predictions.ts"
import { writeReport } from "../../src/Report.ts"
import { labelsOf } from "../../src/Train/Evaluate/Logits.ts"
import { measure } from "../../src/Train/Evaluate/Measures.ts"
import { describeData } from "../../src/Train/Run/DataDescription.ts"
import { wilsonInterval } from "../../src/Train/Run/Interval.ts"
import { appendMetrics } from "../../src/Train/Run/Metrics.ts"
import { FOLDER_VERSION } from "../../src/Train/Run/RunConfig.ts"

const SIDE = 4
const third: PerChannel = [0.3, 0.3, 0.3]

/** Images whose every pixel is their index; image i is of class i mod classes. */
const datasetOf = (classes: ReadonlyArray<string>, count: number): LoadedDataset => {
  const split = {
    images: {
      pixels: Uint8Array.from({ length: count * SIDE * SIDE * 3 }, (_, i) =>
        Math.floor(i / (SIDE * SIDE * 3))
      ),
      count,
      height: SIDE,
      width: SIDE
    },
    labels: Uint16Array.from({ length: count }, (_, i) => i % classes.length),
    // Not in the order of the images.
    indices: Uint32Array.from({ length: count }, (_, i) => count - 1 - i)
  }
  return {
    name: "bars & <stars>",
    classes,
    train: split,
    validation: split,
    test: split,
    mean: third,
    std: third,
    fingerprint: "ab12"
  }
}

/** Logits that are right but for every seventh image, which is taken for the class after its own. */
const logitsOf = ({ classes, test }: LoadedDataset): Float32Array => {
  const logits = new Float32Array(test.indices.length * classes.length)
  labelsOf(test).forEach((label, i) => {
    const predicted = i % 7 === 0 ? (label + 1) % classes.length : label
    logits[i * classes.length + predicted] = 2 + i / 100
  })
  return logits
}

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(path.join(tmpdir(), "shakedrop-report-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
)

/** The report of a run whose every second epoch was evaluated. */
const reportOf = Effect.fnUntraced(function* (
  dataset: LoadedDataset,
  epochs: number,
  logits = logitsOf(dataset)
) {
  const directory = yield* temporary
  const experiment = yield* decodeExperiment(quickstart.experiment)
  writeFileSync(
    path.join(directory, "config.json"),
    JSON.stringify({
      version: FOLDER_VERSION,
      experiment,
      dataset: describeData(dataset),
      command: "shakedrop train",
      environment: { shakedrop: "1", commit: null, node: "v20", tensorflow: "2", device: "a <CPU>" }
    })
  )
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const evaluated = (value: number) => (epoch % 2 === 0 ? value : null)
    yield* appendMetrics(path.join(directory, "metrics.jsonl"), {
      epoch,
      step: 10 * epoch,
      lr: 0.1 / epoch,
      trainLoss: 2 / epoch,
      trainAccuracy: 1 - 1 / (1 + epoch),
      valLoss: evaluated(2 / epoch),
      accuracy: {
        raw: evaluated(1 - 1 / (2 + epoch)),
        ema: evaluated(0.5),
        swa: epoch === epochs ? 0.6 : null
      },
      imagesPerSecond: 1000,
      seconds: 1,
      waitShare: 0
    })
  }
  const classes = logits.length / dataset.test.indices.length
  const { correct, ...measures } = measure(logits, labelsOf(dataset.test), classes)
  const file = yield* writeReport({
    directory,
    logits,
    result: {
      dataset: dataset.name,
      split: "test",
      epochs,
      weights: "ema",
      selection: "best validation accuracy",
      ...measures,
      interval: wilsonInterval(correct, measures.images),
      parameters: 1,
      multiplyAdds: 1,
      trainSeconds: 1,
      seed: 1,
      command: 'shakedrop train --set name="<x>"'
    }
  }).pipe(Effect.provideService(Dataset, dataset))
  assert.strictEqual(file, path.join(directory, "report.html"))
  assert.deepStrictEqual(readdirSync(directory).sort(), ["config.json", "metrics.jsonl", "report.html"])
  return { page: readFileSync(file, "utf8"), measures }
})

const matches = (text: string, pattern: RegExp): ReadonlyArray<string> =>
  [...text.matchAll(pattern)].map((match) => match[1])

describe("a report", () => {
  it.effect("needs nothing else, and has what was not made by it escaped", () =>
    Effect.gen(function* () {
      const dataset = datasetOf(['<script>alert("1")</script>', "b & c", "d", "e", "f", "g"], 60)
      const { measures, page } = yield* reportOf(dataset, 4)
      assert.notMatch(page, /<script|<link|<iframe|@import|url\(|https?:/i)
      for (const source of matches(page, /src="([^"]*)"/g)) assert.match(source, /^data:image\/png;base64,/)
      assert.include(page, "&#60;script&#62;")
      assert.include(page, "b &#38; c")
      assert.include(page, "bars &#38; &#60;stars&#62;")
      assert.match(page, /validation, SWA <b>60\.00/)
      assert.include(page, "a &#60;CPU&#62;")
      assert.include(page, "name=&#34;&#60;x&#62;&#34;")
      assert.include(page, `${(100 * measures.accuracy).toFixed(2)}\u00a0%`)
      assert.notMatch(page, /NaN|undefined|Infinity|\[object/)
    })
  )

  it.effect("shows the test images themselves, the most confidently wrong first", () =>
    Effect.gen(function* () {
      const { page } = yield* reportOf(datasetOf(["a", "b", "c"], 60), 1)
      const images = matches(page, /<img src="data:image\/png;base64,([^"]*)"/g)
      const titles = matches(page, /title="test image (\d+)"/g).map(Number)
      // Nine of the 60 are wrong: 0, 7, ..., 56; confidence rises with the position.
      assert.deepStrictEqual(titles.slice(0, 9), [56, 49, 42, 35, 28, 21, 14, 7, 0])
      assert.isTrue(titles.slice(9).every((position) => position % 7 !== 0))
      for (const [i, position] of titles.entries()) {
        const { data, info } = yield* Effect.promise(() =>
          sharp(Buffer.from(images[i], "base64")).raw().toBuffer({ resolveWithObject: true })
        )
        assert.deepStrictEqual([info.width, info.height, info.channels], [SIDE, SIDE, 3])
        assert.isTrue(data.every((value) => value === 59 - position))
      }
    })
  )

  for (const [classes, epochs] of [
    [2, 1],
    [10, 3],
    [100, 450]
  ]) {
    it.effect(`of ${classes} classes and ${epochs} epochs has drawings that can be drawn`, () =>
      Effect.gen(function* () {
        const names = Array.from({ length: classes }, (_, k) => `class & ${k}`)
        const { measures, page } = yield* reportOf(datasetOf(names, 20 * classes), epochs)
        const drawings = matches(page, /(<svg[\s\S]*?<\/svg>)/g)
        assert.strictEqual(drawings.length, 5)
        for (const drawing of drawings) {
          const file = Buffer.from(drawing.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"'))
          const { width } = yield* Effect.promise(() => sharp(file).metadata())
          assert.isAbove(width, 100)
        }
        const filled = measures.confusion.flat().filter((images) => images > 0).length
        assert.strictEqual(matches(drawings[4], /<rect class="(right|wrong)"/g).length, filled)
        assert.strictEqual(matches(page, /(class="track")/g).length, classes)
        assert.notMatch(page, /NaN|undefined|Infinity/)
        assert.isBelow(page.length, 1_000_000)
      })
    )
  }

  it.effect("of a network without mistakes, with more classes than the data, has no gaps", () =>
    Effect.gen(function* () {
      const dataset = datasetOf(["a", "b"], 40)
      const logits = new Float32Array(40 * 3)
      labelsOf(dataset.test).forEach((label, i) => {
        logits[3 * i + label] = 5
      })
      const { page } = yield* reportOf(dataset, 2, logits)
      assert.include(page, "every image is classified right")
      assert.notInclude(page, "Most confidently wrong")
      assert.strictEqual(matches(page, /(class="track")/g).length, 2)
      assert.notMatch(page, /NaN|undefined|Infinity/)
    })
  )
})

it("a template escapes text and attributes, not markup", () => {
  const inner = html`<b title="${'"x" & y'}">${"<i>"}</b>`
  assert.strictEqual(
    html`<p>${[inner, inner]}${1}</p>`.text,
    `<p>${'<b title="&#34;x&#34; &#38; y">&#60;i&#62;</b>'.repeat(2)}1</p>`
  )
})

it("confused pairs come by their share of the true class", () => {
  const pairs = confusedPairs([
    [90, 9, 1],
    [0, 5, 5],
    [0, 0, 0]
  ])
  assert.deepStrictEqual(
    pairs.map(({ images, label, predicted, share }) => [label, predicted, images, share]),
    [
      [1, 2, 5, 0.5],
      [0, 1, 9, 0.09],
      [0, 2, 1, 0.01]
    ]
  )
})

it("predictions are those of the logits, in the split's order", () => {
  const { test } = datasetOf(["a", "b"], 4)
  const predictions = predictionsOf(test, Float32Array.of(0, 1, 3, 0, 2, 0, 0, 0))
  // The split is reversed: labels 1, 0, 1, 0.
  assert.deepStrictEqual(
    predictions.map(({ label, predicted }) => [label, predicted]),
    [
      [1, 1],
      [0, 0],
      [1, 0],
      [0, 0]
    ]
  )
  assert.closeTo(predictions[1].probability, 1 / (1 + Math.exp(-3)), 1e-6)
  assert.deepStrictEqual(
    mostConfidentlyWrong(predictions, 5).map(({ position }) => position),
    [2]
  )
  assert.deepStrictEqual(
    someCorrect(predictions, 2).map(({ position }) => position),
    [0, 3]
  )
})
