/** Charts for who neither sees them nor has a pointer. */
import { assert, it } from "@effect/vitest"
import { chart } from "../../src/Report/Chart/Chart.ts"
import { linearScale } from "../../src/Report/Chart/Scale.ts"

const of = (counts: ReadonlyArray<number>) =>
  chart({
    title: "Loss",
    counts,
    unit: "epoch",
    series: [
      { name: "training", colour: "train", values: counts.map((count) => 1 / count) },
      { name: "validation", colour: "validation", values: counts.map((count) => (count % 2 ? null : count)) }
    ],
    scale: linearScale([0, 1], String),
    format: (value) => value.toFixed(3)
  }).text

it("every value of a chart is in a table, and both axes say what they are", () => {
  const text = of([1, 2, 3])
  assert.include(text, '<tr><th scope="row">2</th><td>0.500</td><td>2.000</td></tr>')
  assert.include(text, '<tr><th scope="row">3</th><td>0.333</td><td>–</td></tr>')
  assert.match(text, /<text class="tick"[^>]*>epoch<\/text>/)
})

it("the table of a long run has at most 50 rows, the last epoch among them", () => {
  const text = of(Array.from({ length: 1800 }, (_, i) => i + 1))
  const rows = text.match(/<th scope="row">/g) ?? []
  assert.isAtMost(rows.length, 50)
  assert.include(text, '<th scope="row">1800</th>')
})
