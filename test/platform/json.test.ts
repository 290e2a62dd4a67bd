/** JSON as people write it. */
import { assert, describe, it } from "@effect/vitest"
import { parseJson } from "../../src/Platform/Json.ts"

const bytes = (text: string): Uint8Array => Buffer.from(text)

const problem = (input: string | Uint8Array): string => {
  try {
    parseJson(typeof input === "string" ? bytes(input) : input)
  } catch (error) {
    return (error as Error).message
  }
  return "none"
}

const config = {
  name: "klein",
  train: { epochs: [1, -2.5e3, null, true, 'a"b\\ \u00e9'] },
  none: {},
  empty: []
}
const text = JSON.stringify(config, null, 2)

describe("JSON that people write", () => {
  it("is read in every encoding that editors have", () => {
    const utf16 = Buffer.from(`\ufeff${text}`, "utf16le")
    for (const written of [
      bytes(text),
      bytes(text.replaceAll("\n", "\r\n")),
      bytes(`\ufeff${text}`),
      utf16,
      Buffer.from(utf16).swap16(),
      Buffer.from(text, "utf16le"),
      Buffer.from(text, "utf16le").swap16()
    ]) {
      assert.deepStrictEqual(parseJson(written), config)
    }
    assert.match(problem(Uint8Array.of(0x22, 0xe9, 0x22)), /not text in UTF-8/)
  })

  it("names what is wrong, and where", () => {
    const wrong: ReadonlyArray<readonly [text: string, told: RegExp]> = [
      ["", /it is empty/],
      [" \n", /it is empty/],
      ["<!DOCTYPE html><html>", /HTML/],
      ['{"a": 1,\n "b": ', /it ends too early, in line 2, column 7/],
      ['{"a": [1, 2', /it ends too early, in line 1, column 12/],
      ['{"a": 1,\n}', /a comma before } in line 2, column 1/],
      ["[1,]", /a comma before \] in line 1, column 4/],
      ['// mine\n{"a": 1}', /a comment in line 1, column 1/],
      ['{"a": NaN}', /NaN in line 1, column 7/],
      ["{'a': 1}", /single quotes in line 1, column 2/],
      ["{a: 1}", /a in line 1, column 2/],
      ['{"a" 1}', /1 in line 1, column 6/],
      ['{"a": 1} {}', /\{ in line 1, column 10/],
      ['{"a": 01}', /1 in line 1, column 8/],
      ['{"a": "b}', /a text that does not end.* in line 1, column 7/],
      ['{"a": 1,\n "b": {"c": 1, "c": 2}}', /the key c stands twice, in line 2, column 16/],
      ['{"\\u0061": 1, "a": 2}', /the key a stands twice/],
      ["[".repeat(100_000), /nested more than 100 deep/],
      ["\0\0\0\0", /not text/]
    ]
    for (const [written, told] of wrong) assert.match(problem(written), told)
  })

  it("is JSON exactly where JavaScript says so", () => {
    // Every cut, and every text with one character replaced.
    const sound = (written: string): boolean => {
      try {
        JSON.parse(written)
        return true
      } catch {
        return false
      }
    }
    for (let i = 0; i < text.length; i++) {
      assert.notStrictEqual(problem(text.slice(0, i)), "none")
      for (const character of ['"', "{", "]", ",", "1", "x", "\u00a0"]) {
        const changed = text.slice(0, i) + character + text.slice(i + 1)
        if (/stands twice/.test(problem(changed))) continue
        assert.strictEqual(problem(changed) === "none", sound(changed), changed)
      }
    }
  })
})
