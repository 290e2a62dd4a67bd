import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import sharp from "sharp"
import type { Split } from "../../src/Data.ts"
import { ensembleStatistics, type MeasuredEnsemble } from "../../src/Ensemble/Statistics.ts"
import { reliability } from "../../src/Report/Chart/Reliability.ts"
import { ensemblePage, writeEnsembleReport } from "../../src/Report/Ensemble.ts"
import { points } from "../../src/Report/Members.ts"
import { measuredOf, outputs } from "./support.ts"

const SIDE = 4

/** Images whose every pixel is their index, in reverse order. */
const splitOf = ({ labels }: MeasuredEnsemble): Split => ({
  images: {
    pixels: Uint8Array.from({ length: labels.length * SIDE * SIDE * 3 }, (_, i) =>
      Math.floor(i / (SIDE * SIDE * 3))
    ),
    count: labels.length,
    height: SIDE,
    width: SIDE
  },
  labels: labels.toReversed(),
  indices: Uint32Array.from(labels.keys()).reverse()
})

const pageOf = (measured: MeasuredEnsemble) => ensemblePage(ensembleStatistics(measured), splitOf(measured))

const matches = (text: string, pattern: RegExp): ReadonlyArray<string> =>
  [...text.matchAll(pattern)].map((match) => match[1])

describe("an ensemble's report", () => {
  it.effect("is a page that needs nothing else, and its numbers as JSON", () =>
    Effect.gen(function* () {
      const directory = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(path.join(tmpdir(), "shakedrop-ensemble-"))),
        (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
      )
      const measured = measuredOf({})
      const report = ensembleStatistics(measured)
      const file = yield* writeEnsembleReport(directory, report, splitOf(measured))
      assert.strictEqual(file, path.join(directory, "report.html"))
      assert.deepStrictEqual(readdirSync(directory).sort(), ["ensemble.json", "report.html"])
      assert.deepStrictEqual(JSON.parse(readFileSync(path.join(directory, "ensemble.json"), "utf8")), report)
      const page = readFileSync(file, "utf8")
      assert.notMatch(page, /<script|<link|<iframe|@import|url\(|https?:/i)
      assert.notMatch(page, /NaN|undefined|Infinity|\[object|null/)
      for (const source of matches(page, /src="([^"]*)"/g)) assert.match(source, /^data:image\/png;base64,/)
      for (const text of [
        "bars &#38; &#60;stars&#62;",
        "class &#60;5&#62;",
        "runs/&#60;3&#62;",
        "&#34;a&#34;"
      ])
        assert.include(page, text)
    })
  )

  it.effect("has a row for each member and one for the whole, with intervals", () =>
    Effect.gen(function* () {
      const measured = measuredOf({})
      const { members, whole } = ensembleStatistics(measured)
      const page = yield* pageOf(measured)
      const rows = matches(page, /<tr[^>]*>(<td>\d?<\/td><th>.*?)<\/tr>/g)
      assert.strictEqual(rows.length, members.length + 1)
      const percent = (share: number) => `${(100 * share).toFixed(2)}\u00a0%`
      for (const [m, { accuracy, interval, loss }] of [...members, whole].entries()) {
        assert.include(rows[m], `<b>${percent(accuracy)}</b>`)
        assert.include(rows[m], `${percent(interval[0])} to ${percent(interval[1])}`)
        assert.include(rows[m], loss.toFixed(4))
      }
      assert.include(rows[0], "50.00\u00a0%")
      assert.include(rows[4], "The whole")
    })
  )

  it.effect("says what data it is from, and that test images selected nothing", () =>
    Effect.gen(function* () {
      const page = yield* pageOf(measuredOf({}))
      assert.include(page, "120 test images")
      assert.include(page, "The test images selected nothing")
      assert.include(page, "weights &#38; temperature, on 500 validation images")
      const onValidation = yield* pageOf(measuredOf({}, { split: "validation" }))
      assert.notInclude(onValidation, "selected nothing")
      assert.include(onValidation, "too good")
    })
  )

  it.effect("shows the images that all members get wrong, those with the highest scores first", () =>
    Effect.gen(function* () {
      const measured = measuredOf({ skill: 1, images: 300 })
      const { allWrong } = ensembleStatistics(measured)
      assert.isAbove(allWrong.length, 48)
      const page = yield* pageOf(measured)
      const titles = matches(page, /title="test image (\d+)"/g).map(Number)
      const wanted = allWrong.toSorted((a, b) => b.probability - a.probability).slice(0, 48)
      assert.deepStrictEqual(
        titles,
        wanted.map(({ position }) => position)
      )
      const [image] = matches(page, /<img src="data:image\/png;base64,([^"]*)"/g)
      const pixels = yield* Effect.promise(() => sharp(Buffer.from(image, "base64")).raw().toBuffer())
      assert.isTrue(pixels.every((value) => value === (299 - titles[0]) % 256))
      const [truth] = matches(page, /<span class="truth">is ([^<]*)<\/span>/g)
      assert.strictEqual(truth, `class &#60;${wanted[0].label}&#62;`)
    })
  )

  for (const [count, classes, drawings] of [
    [1, 2, 3],
    [2, 100, 4],
    [12, 10, 4]
  ]) {
    it.effect(`of ${count} members and ${classes} classes has drawings that can be drawn`, () =>
      Effect.gen(function* () {
        const page = yield* pageOf(measuredOf({ count, classes, images: 10 * classes }))
        const found = matches(page, /(<svg[\s\S]*?<\/svg>)/g)
        assert.strictEqual(found.length, drawings)
        for (const drawing of found) {
          const file = Buffer.from(drawing.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"'))
          const { width } = yield* Effect.promise(() => sharp(file).metadata())
          assert.isAbove(width, 100)
        }
        const cells = matches(page, /(<td[^>]* title="runs)/g)
        assert.strictEqual(cells.length, count === 1 ? 0 : 2 * count * count)
        assert.notMatch(page, /NaN|undefined|Infinity/)
      })
    )
  }

  it.effect("of members without mistakes, and without a temperature, has no gaps", () =>
    Effect.gen(function* () {
      const probabilities = outputs([1, 0], [0, 1], [1, 0])
      const page = yield* pageOf({
        ...measuredOf({}),
        classes: ["a", "b"],
        labels: Uint16Array.of(0, 1, 0),
        members: ["c", "d"].map((name) => ({ name, weight: 1, probabilities })),
        scores: probabilities,
        temperature: null
      })
      assert.notMatch(page, /NaN|undefined|Infinity|null/)
      assert.notMatch(page, /<h2>Wrong for all members/)
      assert.strictEqual(matches(page, /(accuracy by confidence)/g).length, 1)
      assert.include(page, "every image is classified right")
    })
  )
})

it("a reliability diagram has bars to accuracy and confidence, coloured by which is higher", () => {
  const bin = { from: 0.5, to: 0.6, images: 5 }
  const { text } = reliability("bins", {
    ece: 0.1,
    brier: 0.2,
    loss: 0.3,
    bins: [
      { ...bin, accuracy: 0.3, confidence: 0.55 },
      { ...bin, accuracy: 1, confidence: 0.55 },
      { ...bin, images: 0, accuracy: null, confidence: null }
    ]
  })
  const bars = [...text.matchAll(/class="(common|over|under)"[^>]*height="([\d.]+)"/g)]
  // 248 pixels stand for 1.
  assert.deepStrictEqual(
    bars.map(([, kind, height]) => [kind, Number((Number(height) / 248).toFixed(3))]),
    [
      ["common", 0.3],
      ["over", 0.25],
      ["common", 0.55],
      ["under", 0.45]
    ]
  )
})

it("differences are in percentage points, with a sign where there is one", () => {
  assert.deepStrictEqual([0.0052, -0.0011, 0, -0.00001].map(points), ["+0.52", "−0.11", "0.00", "0.00"])
})
