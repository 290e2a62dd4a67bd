import * as fs from "node:fs"
import { createRequire } from "node:module"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import sharp from "sharp"
import { exportNetwork, readFacts } from "../../src/Export.ts"
import { weightsFor } from "../../src/Model.ts"
import { classifier, servedNetwork } from "../../src/Predict.ts"
import { decode } from "../../src/Tensor/Safetensors.ts"
import { servicesFor, smallDataset, smallRun, temporaryFolder } from "../support/Run.ts"
import { networks } from "./support.ts"

/** As much of transformers.js as is used. */
interface Transformers {
  readonly env: { localModelPath: string; allowRemoteModels: boolean; allowLocalModels: boolean }
  readonly pipeline: (
    task: string,
    folder: string,
    options: object
  ) => Promise<
    (
      file: string,
      options: object
    ) => Promise<ReadonlyArray<{ readonly label: string; readonly score: number }>>
  >
}

/** A folder where transformers.js is installed: `test/clients/exports.sh` makes one. */
const { SHAKEDROP_TEST_CLIENTS: clients } = process.env

const loadTransformers = async (): Promise<Transformers> => {
  const entry = createRequire(path.join(clients!, "index.js")).resolve("@huggingface/transformers")
  return await import(pathToFileURL(entry).href)
}

describe("a folder for transformers.js", () => {
  it.effect(
    "has the classes, what is done to images, the graph, the weights and a card with the run's numbers",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryFolder
        const dataset = smallDataset()
        yield* Effect.gen(function* () {
          yield* smallRun(directory)
          const served = yield* servedNetwork(directory)
          const out = path.join(directory, "folder")
          const facts = yield* readFacts(directory, true)
          yield* exportNetwork(served, "transformers", out, { facts })
          const text = (name: string) => fs.readFileSync(path.join(out, name), "utf8")
          const config = JSON.parse(text("config.json"))
          assert.deepStrictEqual(Object.values(config.id2label), [...served.classes])
          assert.strictEqual(config.label2id[served.classes[1]], 1)
          const preprocessing = JSON.parse(text("preprocessor_config.json"))
          assert.deepInclude(preprocessing, { image_mean: served.mean, image_std: served.std, resample: 1 })
          const { tensors } = decode(fs.readFileSync(path.join(out, "model.safetensors")))
          assert.deepStrictEqual(weightsFor(served.network, tensors), served.weights)
          const card = text("README.md")
          assert.include(card, `# ${served.network.name}`)
          assert.include(
            card,
            `**${(100 * facts.result!.accuracy).toFixed(2)} %** of ${facts.result!.images}`
          )
          assert.include(card, "95 % interval")
          assert.include(card, `"_tag": "${served.config._tag}"`)
          assert.notInclude(card, directory)

          const unmeasured = yield* readFacts(directory, false)
          yield* exportNetwork(served, "transformers", out, { facts: unmeasured })
          assert.include(text("README.md"), "These weights were not measured on test images.")

          if (clients === undefined) return
          // An image of the network's size and a larger one.
          const { height, pixels, width } = dataset.test.images
          const image = Buffer.from(pixels.slice(0, height * width * 3))
          const files = ["own.png", "large.png"].map((name) => path.join(directory, name))
          const raw = { raw: { height, width, channels: 3 } } as const
          yield* Effect.promise(() => sharp(image, raw).png().toFile(files[0]))
          yield* Effect.promise(() =>
            sharp(image, raw).resize(93, 71, { fit: "fill" }).png().toFile(files[1])
          )
          const classify = yield* classifier(served)
          const [{ predictions }] = yield* Stream.runCollect(classify(files))
          const { env, pipeline } = yield* Effect.promise(loadTransformers)
          Object.assign(env, { localModelPath: directory, allowRemoteModels: false, allowLocalModels: true })
          const theirs = yield* Effect.promise(() =>
            pipeline("image-classification", "folder", { dtype: "fp32" })
          )
          for (const { file, probabilities } of predictions) {
            const said = yield* Effect.promise(() => theirs(file, { top_k: null }))
            assert.sameMembers(
              said.map(({ label }) => label),
              [...served.classes]
            )
            for (const { label, score } of said)
              assert.closeTo(score, probabilities[served.classes.indexOf(label)], 1e-5, `${file} ${label}`)
          }
        }).pipe(Effect.provide(servicesFor(dataset)))
      })
  )

  it.effect("cannot be of another form of input, nor can safetensors", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryFolder
      const [[, served]] = networks
      const out = path.join(directory, "out")
      const { message } = yield* Effect.flip(exportNetwork(served, "transformers", out, { input: "nchw" }))
      assert.match(message, /^transformers\.js gives a network normalised images/)
      const error = yield* Effect.flip(exportNetwork(served, "safetensors", out, { input: "nhwc" }))
      assert.match(error.message, /^safetensors hold weights and no graph/)
      assert.isFalse(fs.existsSync(out))
    })
  )
})
