/** What `predict` and `ensemble predict` write of an image. */
import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import { lineOf } from "../../src/Cli/Shared/Predictions.ts"

const NUMBERS = ["0", "1", "2", "10"]
const probabilities = Float64Array.from([0.07, 1e-7, 0.123456, 0.806543])
const line = (top: Option.Option<number>, full: boolean) =>
  JSON.parse(lineOf({ file: "a.png", probabilities }, NUMBERS, { top, full }))

describe("a line of predictions", () => {
  it("has the likeliest class first, also where classes are named by numbers", () => {
    assert.deepStrictEqual(line(Option.none(), false), {
      file: "a.png",
      class: "10",
      probabilities: [
        { class: "10", probability: 0.8065 },
        { class: "2", probability: 0.1235 },
        { class: "0", probability: 0.07 },
        { class: "1", probability: 1e-7 }
      ]
    })
  })

  it("has as many classes and digits as were asked for", () => {
    assert.deepStrictEqual(line(Option.some(2), true).probabilities, [
      { class: "10", probability: 0.806543 },
      { class: "2", probability: 0.123456 }
    ])
    assert.strictEqual(line(Option.some(9), false).probabilities.length, 4)
  })

  it("keeps the order of the network where probabilities are equal", () => {
    const equal = lineOf({ file: "", probabilities: new Float64Array(4).fill(0.25) }, NUMBERS, {
      top: Option.none(),
      full: false
    })
    const classes = JSON.parse(equal).probabilities.map((entry: { class: string }) => entry.class)
    assert.deepStrictEqual(classes, NUMBERS)
  })

  it("have no control characters but as escapes", () => {
    const names = ["a\u001b[31m", "b\u009b\u202e", "c\nd"]
    const line = lineOf({ file: "x\u0085.png", probabilities: Float64Array.of(0.2, 0.5, 0.3) }, names, {
      top: Option.none(),
      full: false
    })
    assert.notMatch(line, /[\p{Cc}\u2028-\u202e]/u)
    const { class: likeliest, file, probabilities } = JSON.parse(line)
    assert.strictEqual(file, "x\u0085.png")
    assert.strictEqual(likeliest, names[1])
    assert.deepStrictEqual(
      probabilities.map((each: { readonly class: string }) => each.class),
      [names[1], names[2], names[0]]
    )
  })
})
