import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { decodeEnsemble } from "../../src/Ensemble.ts"

const base = { name: "some", data: { dataset: "shapes" }, members: [{ run: "a" }, { run: "b" }] }

describe("the configuration of an ensemble", () => {
  it.effect("needs little, and says the rest", () =>
    Effect.gen(function* () {
      const { members, rule, tta, ttaMean } = yield* decodeEnsemble(base)
      assert.deepStrictEqual(members, [
        { run: "a", weight: 1 },
        { run: "b", weight: 1 }
      ])
      assert.deepStrictEqual({ rule, tta, ttaMean }, {
        ...{ rule: "MeanProbabilities", ttaMean: "Logits", tta: "identity" }
      } as const)
    })
  )

  const augmented = (step: unknown) => [{ _tag: "Augmented", draws: 2, pipeline: [step] }]

  const mistakes: ReadonlyArray<readonly [what: string, change: object, told: RegExp]> = [
    ["an unknown key", { member: [] }, /: member is not a known key; did you mean members\?$/],
    [
      "an unknown key of a member",
      { members: [{ run: "a", wieght: 1 }] },
      /members\.0: wieght is not a known/
    ],
    [
      "a negative weight",
      { members: [{ run: "a" }, { run: "b", weight: -1 }] },
      /members\.1: weight: expected a value greater than or equal to 0, got -1$/
    ],
    [
      "weights that are all zero",
      {
        members: [
          { run: "a", weight: 0 },
          { run: "b", weight: 0 }
        ]
      },
      /members: expected a weight above zero for at least one member/
    ],
    ["no members", { members: [] }, /members: expected .*at least 1/],
    ["no list of members", { members: "a" }, /members: .*got "a"/],
    [
      "data of a member's own",
      { members: [{ run: "a", experiment: { data: { dataset: "cifar10" } } }] },
      /members\.0: experiment\.data: expected nothing, for the data are those of the ensemble/
    ],
    ["a soup of one", { members: [{ soup: [{ run: "a" }] }] }, /members\.0: soup: .*at least 2/],
    [
      "a soup's source with a weight",
      { members: [{ soup: [{ run: "a" }, { run: "b", weight: 2 }] }] },
      /members\.0: soup\.1\.weight is not a known key/
    ],
    [
      "a checkpoint that cannot be",
      { members: [{ run: "a", checkpoint: 0 }] },
      /members\.0: checkpoint: expected /
    ],
    ["an unknown rule", { rule: "Mean" }, /rule: expected MeanProbabilities, .* did you mean MeanLogits\?/],
    ["unknown views", { tta: "flop" }, /tta: expected /],
    ["no views", { tta: [] }, /tta: expected .*at least 1/],
    ["a temperature of zero", { temperature: 0 }, /temperature: expected a value greater than 0/],
    ["a name that is a path", { name: "a/b" }, /name: expected a name of letters/],
    ["images that are mixed", { tta: augmented({ _tag: "Mixup" }) }, /tta\.0\.pipeline\.0/]
  ]
  it.effect.each(mistakes)("with %s is refused in one line", ([, change, told]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(decodeEnsemble({ ...base, ...change }))
      assert.strictEqual(error._tag, "ConfigError")
      assert.match(error.message, /^wrong ensemble: [^\n]+$/)
      assert.match(error.message, told)
    })
  )

  it.effect("that the README trains is right", () =>
    Effect.gen(function* () {
      const { members } = yield* decodeEnsemble(JSON.parse(readFileSync("examples/shapes.json", "utf8")))
      assert.strictEqual(members.length, 2)
    })
  )
})
