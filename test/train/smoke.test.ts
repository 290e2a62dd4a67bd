/**
 * Recipes with their networks in full size and few small images: that they are compiled, trained, saved and evaluated at all.
 * For their time, ViT-B/16, ensembles and recipes with a network that is here already (part 3 has that of part 4) are left out.
 */
import { existsSync } from "node:fs"
import * as path from "node:path"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { merge } from "../../src/Config.ts"
import { decodeExperiment } from "../../src/Experiment.ts"
import { recipes } from "../../src/Recipe.ts"
import { smokeDataset, smokeExperiment } from "../../src/Train/Probe/DryRun.ts"
import { temporaryFolder, tinyDataset } from "../support/Run.ts"
import { curves, runsOn } from "../support/Runs.ts"

const dataset = tinyDataset()

/** Images in a batch: fewer than a trial's, for the test's own time. */
const BATCH = 4

const trial = (recipe: string, change: unknown = {}) =>
  Effect.map(
    decodeExperiment(merge(merge(recipes[recipe].experiment, change), { data: { dataset: "shapes" } })),
    (whole) => smokeExperiment({ ...whole, train: { ...whole.train, batchSize: BATCH } })
  )

const wide = { model: { _tag: "WideResNet", depth: 40, widenFactor: 10, shakeDrop: { survival: 0.5 } } }

/** Runs a trial in a folder of its own and checks what it leaves there. Gives its result. */
const ran = (recipe: string, change: unknown = {}) =>
  Effect.gen(function* () {
    const directory = yield* temporaryFolder
    const experiment = yield* trial(recipe, change)
    const { run } = runsOn(smokeDataset(dataset, experiment))
    const { result } = yield* run(experiment, directory)
    const [epoch] = yield* curves(directory)
    assert.strictEqual(result.images, 20)
    assert.strictEqual(epoch.step, 2)
    assert.isTrue(Number.isFinite(epoch.trainLoss))
    for (const file of ["result.json", "checkpoints/step-0000002.safetensors"]) {
      assert.isTrue(existsSync(path.join(directory, file)), file)
    }
    return result
  })

it.live.each([
  ["PyramidNet-272 with ShakeDrop", "pyramidnet272-shakedrop-paper", {}, 26_210_842],
  ["WRN-40-10 with ShakeDrop", "wrn28-10-autoaugment", wide, 55_841_754]
] as const)(
  "%s takes two steps, is saved and evaluated",
  ([, recipe, change, parameters]) =>
    Effect.map(ran(recipe, change), (result) => assert.strictEqual(result.parameters, parameters)),
  { timeout: 300_000 }
)

it.live.each([
  "quickstart",
  "part1-simple-cnn",
  "part2-augmentation",
  "part4-tricks",
  "pyramidnet-small",
  "speedrun",
  "speedrun94"
])("the recipe %s takes two steps, is saved and evaluated", (recipe) => ran(recipe), { timeout: 300_000 })
