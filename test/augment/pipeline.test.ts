import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Pipeline } from "../../src/Augment/Pipeline.ts"
import { readPolicies } from "../../src/Augment/Policy/ReadPolicies.ts"
import { decodeStrictly } from "../../src/Config/Decode.ts"

const decode = (input: unknown) =>
  Effect.flatMap(readPolicies(input), (read) => decodeStrictly(Pipeline, read))
const problem = (input: unknown) => Effect.map(Effect.flip(decode(input)), ({ message }) => message)

/** A file in a folder of its own. */
const file = (name: string, contents: string): string => {
  const name_ = path.join(mkdtempSync(path.join(tmpdir(), "policy-")), name)
  writeFileSync(name_, contents)
  return name_
}

describe("a pipeline as data", () => {
  it.effect("is completed by the published defaults, and decodes to itself then", () =>
    Effect.gen(function* () {
      const pipeline = yield* decode([
        { _tag: "RandomCrop", padding: 4, mode: "reflect" },
        { _tag: "RandomHorizontalFlip" },
        { _tag: "AutoAugment" },
        { _tag: "RandAugment", m: 14 },
        { _tag: "TrivialAugmentWide" },
        { _tag: "Cutout", length: 16 },
        { _tag: "RandomErasing" },
        { _tag: "MixupCutMix" }
      ])
      const fill = [0, 0, 0]
      assert.deepStrictEqual(pipeline as unknown, [
        { _tag: "RandomCrop", padding: 4, mode: "reflect" },
        { _tag: "RandomHorizontalFlip", p: 0.5 },
        { _tag: "AutoAugment", policy: "cifar10", fill },
        { _tag: "RandAugment", n: 2, m: 14, bins: 31, fill },
        { _tag: "TrivialAugmentWide", bins: 31, fill },
        { _tag: "Cutout", length: 16, holes: 1 },
        { _tag: "RandomErasing", p: 0.5, scale: [0.02, 0.33], ratio: [0.3, 3.3], value: "mean" },
        { _tag: "MixupCutMix", mixupAlpha: 1, cutMixAlpha: 1, switchProb: 0.5, p: 1 }
      ])
      assert.deepStrictEqual(yield* decode(JSON.parse(JSON.stringify(pipeline))), pipeline)
    })
  )

  it.effect.each([
    [[{ _tag: "RandomCrop", padding: 0, mode: "mirror" }], /0\.padding.*0\.mode/],
    [[{ _tag: "Cutout" }], /0\.length is missing/],
    [[{ _tag: "Cutout", length: 8, size: 8 }], /0\.size is not a known key/],
    [[{ _tag: "RandAugment", m: 31 }], /0\.m: expected a magnitude below the 31 bins, got 31/],
    [
      [{ _tag: "RandomErasing", scale: [0.5, 0.2] }],
      /0\.scale: expected the least value before the greatest/
    ],
    [[{ _tag: "AutoAugment", fill: [0, 0, 256] }], /0\.fill\.2: expected a value between 0 and 255, got 256/],
    [
      [{ _tag: "AutoAugment", policy: "cifar" }],
      /0\.policy: expected cifar10, svhn.*got "cifar"; did you mean cifar10\?$/
    ],
    [[{ _tag: "AutoAugment", policy: [] }], /0\.policy/],
    [[{ _tag: "Mixup" }, { _tag: "RandomHorizontalFlip" }], /0: only the last step can be Mixup/],
    [[{ _tag: "CutMix" }, { _tag: "CutMix" }], /^0: only the last step can be CutMix[^;]*$/]
  ] as const)("%j is refused", ([input, message]) =>
    Effect.map(problem(input), (text) => assert.match(text, message))
  )
})

describe("a policy of one's own", () => {
  const policy = [
    [
      ["Rotate", 0.5, 9],
      ["Invert", 0.25, null]
    ],
    [["SolarizeAdd", 1, 3]]
  ]

  it.effect("is written out, or read from a file and kept", () =>
    Effect.gen(function* () {
      for (const source of [policy, file("policy.json", JSON.stringify(policy))]) {
        const [step] = yield* decode([{ _tag: "AutoAugment", policy: source }])
        assert.deepStrictEqual(step as unknown, { _tag: "AutoAugment", policy, fill: [0, 0, 0] })
      }
    })
  )

  it.effect.each([
    [[[["Rotat", 0.5, 9]]], /0\.0\.0: expected Identity, ShearX.* got "Rotat"; did you mean Rotate\?/],
    [[[["Rotate", 1.5, 9]]], /0\.0\.1: expected a value between 0 and 1, got 1\.5/],
    [[[["Rotate", 0.5, 10]]], /0\.0\.2/],
    [[[["Rotate", 0.5, null]]], /a level from 0 to 9 is what Rotate needs/],
    [[[["Invert", 0.5, 3]]], /null is the only level that Invert takes/]
  ] as const)("%j is refused, in the configuration and in a file", ([wrong, message]) =>
    Effect.gen(function* () {
      assert.match(yield* problem([{ _tag: "AutoAugment", policy: wrong }]), message)
      const name = file("wrong.json", JSON.stringify(wrong))
      const text = yield* problem([{ _tag: "AutoAugment", policy: name }])
      assert.match(text, message)
      assert.match(text, /0\.policy: the policy is wrong: .*wrong\.json/)
    })
  )

  it.effect("that cannot be read is named", () =>
    Effect.gen(function* () {
      assert.match(yield* problem([{ _tag: "AutoAugment", policy: "nowhere.json" }]), /nowhere\.json/)
      const broken = file("broken.json", "[[")
      assert.match(yield* problem([{ _tag: "AutoAugment", policy: broken }]), /JSON.*broken\.json/)
    })
  )
})
