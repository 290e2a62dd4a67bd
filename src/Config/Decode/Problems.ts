/** What is wrong with an input, in a user's words: a line for each key, from what a Schema found. */
import type * as SchemaAST from "effect/SchemaAST"
import type * as SchemaIssue from "effect/SchemaIssue"
import { isObject } from "../Overlay.ts"
import { anyOf, example, keysOf, literalsOf, pathsOf, tagged, tagOf, words } from "./Shape.ts"
import { didYouMean } from "./Suggest.ts"
import { meantKey, meantValue } from "./Synonyms.ts"

type Path = ReadonlyArray<PropertyKey>

interface Problem {
  readonly path: Path
  readonly text: string
  /** Whether it is told beside others with the same value. */
  readonly exact?: boolean
}

/** An input, and the type that it should have. */
interface Whole {
  readonly ast: SchemaAST.AST
  readonly input: unknown
}

const LONGEST = 60

const shortened = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text)

const isDefined = (value: unknown): value is Record<PropertyKey, unknown> =>
  value !== null && value !== undefined

const valueAt = (input: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, key) => (isDefined(value) ? value[key] : undefined), input)

/** A value as it is written. JSON has no infinity: it is what becomes of too large a number. */
const got = (value: unknown): string =>
  typeof value === "number" && !Number.isFinite(value)
    ? `got ${value}`
    : `got ${shortened(JSON.stringify(value) ?? "nothing")}`

const nameOf = (path: Path): string => path.map(String).join(".") || "the configuration"

/** What may be the matter with a text where something else is expected. */
const hint = (value: unknown, expected: string): string => {
  if (typeof value !== "string") return ""
  if (/^an? (number|integer)/.test(expected) && value.trim() !== "" && Number.isFinite(Number(value))) {
    return ": write it without quotes"
  }
  return /^\s*[[{]/.test(value) ? ", which is not JSON: names and text stand in double quotes" : ""
}

const wrongType = (path: Path, value: unknown, expected: string): Problem => ({
  path,
  text: `${nameOf(path)}: expected ${expected}, ${got(value)}${hint(value, expected)}`
})

/** A value that is none of a choice of texts. */
const wrongChoice = (path: Path, value: unknown, choices: ReadonlyArray<string>): Problem => {
  const meant = typeof value === "string" ? meantValue(value, choices) : undefined
  return { path, text: `${nameOf(path)}: expected ${anyOf(choices)}, ${got(value)}${didYouMean(meant)}` }
}

/** What is not one of the objects that are chosen by their `_tag`. */
const wrongTag = (path: Path, value: unknown, choices: ReturnType<typeof tagged>): Problem => {
  const names = choices.map(([tag]) => tag)
  if (isObject(value)) {
    return "_tag" in value
      ? wrongChoice([...path, "_tag"], value._tag, names)
      : { path, text: `${nameOf([...path, "_tag"])} is missing: one of ${names.join(", ")}` }
  }
  const meant = typeof value === "string" ? meantValue(value, names) : undefined
  const chosen = choices.find(([tag]) => tag === meant) ?? choices[0]
  return {
    path,
    text: `${nameOf(path)}: expected an object with a name, one of ${names.join(", ")}, and its options, as ${example(chosen[1])}, ${got(value)}`
  }
}

/** What fits no member of a union. */
const noneOf = (ast: SchemaAST.Union, path: Path, value: unknown): Problem => {
  const choices = tagged(ast)
  if (choices.length > 0 && (choices.length === ast.types.length || isObject(value))) {
    return wrongTag(path, value, choices)
  }
  const literals = literalsOf(ast)
  return literals.length === ast.types.length
    ? wrongChoice(path, value, literals)
    : wrongType(path, value, words(ast))
}

/** The problems with the member of a union that an input comes closest to. */
const fewest = (all: ReadonlyArray<ReadonlyArray<Problem>>): ReadonlyArray<Problem> =>
  all.reduce((best, problems) => (problems.length < best.length ? problems : best))

const isPointerTo = (issue: SchemaIssue.Issue, tag: "MissingKey" | "UnexpectedKey"): boolean =>
  issue._tag === "Pointer" && issue.issue._tag === tag

/** What a check expects, where it says so. */
const expectedBy = (issue: SchemaIssue.Filter): string | undefined => {
  const { annotations } = issue.filter
  if (typeof annotations?.expected === "string") return annotations.expected
  if (issue.issue._tag !== "InvalidValue") return undefined
  const own = issue.issue.annotations?.expected
  return typeof own === "string" ? own : undefined
}

const problemsOf = (issue: SchemaIssue.Issue, path: Path, whole: Whole): ReadonlyArray<Problem> => {
  const value = valueAt(whole.input, path)
  switch (issue._tag) {
    case "Pointer":
      return problemsOf(issue.issue, [...path, ...issue.path], whole)
    case "Encoding":
      return problemsOf(issue.issue, path, whole)
    case "Filter": {
      const expected = expectedBy(issue)
      return expected === undefined
        ? problemsOf(issue.issue, path, whole)
        : [wrongType(path, value, expected)]
    }
    case "Composite": {
      const { ast } = issue
      const length = (of: SchemaIssue.Issue) =>
        isPointerTo(of, "MissingKey") || isPointerTo(of, "UnexpectedKey")
      return ast._tag === "Arrays" && issue.issues.some(length)
        ? [wrongType(path, value, ast.rest.length > 0 ? "a list that is not empty" : words(ast))]
        : issue.issues.flatMap((inner) => problemsOf(inner, path, whole))
    }
    case "AnyOf":
      return issue.issues.length === 0
        ? [noneOf(issue.ast, path, value)]
        : fewest(issue.issues.map((inner) => problemsOf(inner, path, whole)))
    case "MissingKey":
      return [{ path, text: `${nameOf(path)} is missing` }]
    case "UnexpectedKey": {
      const meant = meantKey(nameOf(path), keysOf(issue.ast), pathsOf(whole.ast, whole.input))
      const tag = tagOf(issue.ast)
      const known = tag === undefined ? "is not a known key" : `is not a known key of ${tag}`
      return [{ path, text: `${nameOf(path)} ${known}${didYouMean(meant)}` }]
    }
    case "InvalidType": {
      const { ast } = issue
      if (ast._tag === "Union") return [noneOf(ast, path, value)]
      const literals = literalsOf(ast)
      return [literals.length > 0 ? wrongChoice(path, value, literals) : wrongType(path, value, words(ast))]
    }
    default: {
      const message = "annotations" in issue ? issue.annotations?.message : undefined
      return [
        {
          path,
          exact: true,
          text: `${nameOf(path)}: ${typeof message === "string" ? message : "it is not valid"}, ${value === undefined ? "got its default" : got(value)}`
        }
      ]
    }
  }
}

/**
 * A line for each problem. Of several with one number the last is told, which is the most exact: too large a number is
 * no integer either.
 */
export const describeProblems = (issue: SchemaIssue.Issue, whole: Whole): ReadonlyArray<string> => {
  const problems = problemsOf(issue, [], whole)
  const told = problems.filter(
    ({ exact, path }, i) =>
      exact || !problems.slice(i + 1).some((other) => nameOf(other.path) === nameOf(path))
  )
  return [...new Set(told.map(({ text }) => text))]
}
