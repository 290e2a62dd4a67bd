/** The largest networks in full size, with few images: that they are compiled, trained, saved and evaluated at all. */
import { existsSync } from "node:fs"
import * as path from "node:path"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { decodeExperiment, merge } from "../../src/Config.ts"
import { recipes } from "../../src/Recipe.ts"
import { smokeDataset, smokeExperiment } from "../../src/Train/Smoke.ts"
import { smallDataset, temporaryFolder } from "../support/Run.ts"
import { curves, runsOn } from "../support/Runs.ts"

const dataset = smallDataset()

/** Images in a batch: fewer than a trial's, for the test's own time. */
const BATCH = 4

const trial = (recipe: string, change: unknown = {}) =>
  Effect.map(
    decodeExperiment(merge(merge(recipes[recipe].experiment, change), { data: { dataset: "shapes" } })),
    (whole) => smokeExperiment({ ...whole, train: { ...whole.train, batchSize: BATCH } })
  )

const wide = { model: { _tag: "WideResNet", depth: 40, width: 10, shakeDrop: { survival: 0.5 } } }

it.live.each([
  ["PyramidNet-272 with ShakeDrop", "pyramidnet272-shakedrop-paper", {}, 26_210_842],
  ["WRN-40-10 with ShakeDrop", "wrn28-10-autoaugment", wide, 55_841_754]
] as const)(
  "%s takes two steps, is saved and evaluated",
  ([, recipe, change, parameters]) =>
    Effect.gen(function* () {
      const directory = yield* temporaryFolder
      const experiment = yield* trial(recipe, change)
      const { run } = runsOn(smokeDataset(dataset, experiment))
      const { result } = yield* run(experiment, directory)
      assert.strictEqual(result.parameters, parameters)
      assert.strictEqual(result.images, 20)
      const [epoch] = yield* curves(directory)
      assert.strictEqual(epoch.step, 2)
      assert.isTrue(Number.isFinite(epoch.trainLoss))
      assert.isTrue(existsSync(path.join(directory, "checkpoints", "step-0000002.safetensors")))
    }),
  { timeout: 300_000 }
)
