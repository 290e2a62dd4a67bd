/**
 * JSON that people write: in the encodings that editors use, and with the place of what is wrong. A key that stands
 * twice, of which JavaScript's own parser takes the last without a word, is a mistake too.
 */

/** What is wrong with a text, in a few words. */
export class JsonProblem extends Error {}

/** Deeper than anything that is written by hand or by this program. */
const DEEPEST = 100

const ENCODINGS = [
  { mark: [0xff, 0xfe], name: "utf-16le" },
  { mark: [0xfe, 0xff], name: "utf-16be" }
] as const

/** The encoding that a mark at the start (BOM) names; without one, zeros betray UTF-16. */
const encodingOf = (bytes: Uint8Array): string => {
  const marked = ENCODINGS.find(({ mark }) => mark.every((byte, i) => bytes[i] === byte))
  if (marked !== undefined) return marked.name
  if (bytes.length >= 2 && bytes[1] === 0 && bytes[0] !== 0) return "utf-16le"
  return bytes.length >= 2 && bytes[0] === 0 && bytes[1] !== 0 ? "utf-16be" : "utf-8"
}

/** Bytes as text, without the mark of their encoding. */
const decodeText = (bytes: Uint8Array): string => {
  const encoding = encodingOf(bytes)
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch {
    throw new JsonProblem(`it is not text in ${encoding.toUpperCase()}`)
  }
}

const SPACE = /[ \t\r\n]*/y
const TOKEN =
  /[{}[\],:]|"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

const placeOf = (text: string, at: number): string => {
  const before = text.slice(0, at).split("\n")
  return `line ${before.length}, column ${before[before.length - 1].length + 1}`
}

/** What stands where it must not, in a few words. */
const describe = (text: string, at: number, afterComma: boolean): string => {
  const place = placeOf(text, at)
  if (at >= text.length) return `it ends too early, in ${place}`
  if (/^\/[/*]/.test(text.slice(at, at + 2)) || text[at] === "#") return `a comment in ${place}`
  if (text[at] === '"') return `a text that does not end, or a missing comma, in ${place}`
  if (text[at] === "'") return `single quotes in ${place}, where double ones belong`
  if (afterComma && /^[}\]]/.test(text[at])) return `a comma before ${text[at]} in ${place}`
  const word = /^[\p{L}\p{N}_.+-]+/u.exec(text.slice(at, at + 30))?.[0] ?? text[at]
  return `${word} in ${place}`
}

type Expected = "value" | "first value" | "key" | "first key" | "colon" | "comma" | "end"

/** Goes through a text token by token, and throws at the first that is wrong. */
const check = (text: string): void => {
  // What is open: the keys of an object so far, nothing of a list.
  const open: Array<Set<string> | undefined> = []
  let expected: Expected = "value"
  let at = 0
  const afterValue = (): Expected => (open.length === 0 ? "end" : "comma")
  const wrong = (): JsonProblem =>
    new JsonProblem(describe(text, at, expected === "key" || expected === "value"))
  for (;;) {
    SPACE.lastIndex = at
    at += SPACE.exec(text)?.[0].length ?? 0
    if (at === text.length && expected === "end") return
    TOKEN.lastIndex = at
    const token = TOKEN.exec(text)?.[0]
    if (token === undefined) throw wrong()
    const keys = open[open.length - 1]
    if (expected === "value" || expected === "first value") {
      if (token === "{" || token === "[") {
        if (open.length === DEEPEST) throw new JsonProblem(`it is nested more than ${DEEPEST} deep`)
        open.push(token === "{" ? new Set() : undefined)
        expected = token === "{" ? "first key" : "first value"
      } else if (token === "]" && expected === "first value") {
        open.pop()
        expected = afterValue()
      } else if (/^[}\],:]$/.test(token)) throw wrong()
      else expected = afterValue()
    } else if (expected === "key" || expected === "first key") {
      if (token === "}" && expected === "first key") {
        open.pop()
        expected = afterValue()
      } else if (token[0] === '"') {
        const key: string = JSON.parse(token)
        if (keys?.has(key)) throw new JsonProblem(`the key ${key} stands twice, in ${placeOf(text, at)}`)
        keys?.add(key)
        expected = "colon"
      } else throw wrong()
    } else if (expected === "colon") {
      if (token !== ":") throw wrong()
      expected = "value"
    } else if (expected === "comma" && token === ",") {
      expected = keys === undefined ? "value" : "key"
    } else if (expected === "comma" && token === (keys === undefined ? "]" : "}")) {
      open.pop()
      expected = afterValue()
    } else throw wrong()
    at += token.length
  }
}

/**
 * The value that bytes are the JSON of.
 *
 * @throws JsonProblem which says what is wrong, and in which line and column
 */
export const parseJson = (bytes: Uint8Array): unknown => {
  const text = decodeText(bytes)
  if (text.trim() === "") throw new JsonProblem("it is empty")
  if (text.trimStart().startsWith("<")) throw new JsonProblem("it is a page of HTML or XML")
  if (text.includes("\0")) throw new JsonProblem("it is not text")
  check(text)
  return JSON.parse(text)
}
