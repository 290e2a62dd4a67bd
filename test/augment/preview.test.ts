import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import sharp from "sharp"
import { augmentCommand } from "../../src/Cli/Augment.ts"
import { preview } from "../../src/Report/Sheet/AugmentPreview.ts"
import { datasetOf } from "./support.ts"

const fill = [0, 0, 0] as const
const dataset = datasetOf(6, { height: 32, width: 32 })

describe("a preview", () => {
  it("shows the original, each step, each sub-policy, mixed images with their λ, and the whole", () => {
    const [steps, policies, mixed, whole] = preview({
      dataset,
      pipeline: [
        { _tag: "RandomCrop", padding: 4, mode: "reflect" },
        { _tag: "AutoAugment", policy: "cifar10", fill },
        { _tag: "MixupCutMix", mixupAlpha: 0.2, cutMixAlpha: 1, switchProb: 0.5, p: 1 }
      ],
      image: 2,
      seed: 1
    })
    const original = dataset.train.images.pixels.slice(2 * 3072, 3 * 3072)
    assert.deepStrictEqual(
      steps.map(({ label }) => label),
      ["original", "RandomCrop padding 4, reflect", "AutoAugment cifar10"]
    )
    assert.deepStrictEqual(steps[0].pixels, original)
    for (const { pixels } of steps.slice(1)) assert.notDeepEqual(pixels, original)
    assert.strictEqual(policies.length, 25)
    assert.strictEqual(policies[0].label, "Invert · Contrast 0.6")
    assert.strictEqual(policies[19].label, "Brightness 0.3 · Color 0")
    assert.strictEqual(whole.length, 7)

    // The share of the original in each mixed picture is what its label says.
    const [partner, ...others] = mixed
    assert.strictEqual(others.length, 6)
    for (const { label, pixels } of others) {
      const lambda = Number(label.split("λ = ")[1])
      let kept = 0
      let distance = 0
      pixels.forEach((value, i) => {
        if (value === original[i]) kept++
        distance += (value - partner.pixels[i]) * (original[i] - partner.pixels[i])
      })
      const span = original.reduce((sum, value, i) => sum + (value - partner.pixels[i]) ** 2, 0)
      if (label.startsWith("Mixup")) assert.closeTo(distance / span, lambda, 0.01)
      else assert.closeTo(kept / 3072, lambda, 0.02)
    }
  })
})

describe("shakedrop augment preview", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "preview-"))
  const run = (...args: ReadonlyArray<string>) =>
    Command.runWith(augmentCommand, { version: "0" })(["preview", ...args]).pipe(
      Effect.provide(NodeServices.layer)
    )
  const problem = (...args: ReadonlyArray<string>) =>
    Effect.map(Effect.flip(run(...args)), (error) => (error as Error).message)

  it.live("writes a contact sheet of the pipeline in a file", () =>
    Effect.gen(function* () {
      const file = path.join(directory, "pipeline.json")
      const out = path.join(directory, "sheet.png")
      writeFileSync(file, JSON.stringify([{ _tag: "RandAugment", m: 20 }, { _tag: "CutMix" }]))
      yield* run("--pipeline", file, "--image", "5", "--out", out)
      const { format, height, width } = yield* Effect.promise(() => sharp(readFileSync(out)).metadata())
      // Seven columns of 192 pixels; one row of steps, two of operations, one of mixed images, one of the whole.
      assert.deepStrictEqual([format, width, height], ["png", 6 + 7 * 198, 6 + 5 * (192 + 16 + 6)])
    })
  )

  it.live("says what is wrong, and writes nothing then", () =>
    Effect.gen(function* () {
      const out = path.join(directory, "none.png")
      const file = path.join(directory, "wrong.json")
      writeFileSync(file, JSON.stringify([{ _tag: "Cutout", length: 0 }]))
      assert.match(yield* problem("--pipeline", file, "--out", out), /wrong\.json: 0\.length: .*got 0/)
      assert.match(yield* problem("--recipe", "none", "--out", out), /no recipe none: there are quickstart/)
      assert.match(yield* problem("--image", "-1", "--out", out), /no training image -1: shapes has 0 to/)
      assert.isFalse(existsSync(out))
    })
  )
})
