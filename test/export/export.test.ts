import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { frozen } from "../../src/Export/Frozen.ts"
import { tfjsModel } from "../../src/Export/TfjsModel.ts"
import { exportNetwork } from "../../src/Export.ts"
import { weightsFor } from "../../src/Model.ts"
import { float32, type HostTensor } from "../../src/Tensor/HostTensor.ts"
import { decode } from "../../src/Tensor/Safetensors.ts"
import { distance } from "../support/Fixtures.ts"
import { temporaryFolder } from "../support/Run.ts"
import { runSavedModel } from "../support/SavedModel.ts"
import { classes, expectedOf, images, networks, serve, size } from "./support.ts"

/** Loads a model from its files and runs it on tfjs's own backend. */
const runTfjs = (files: ReturnType<typeof tfjsModel>) =>
  Effect.promise(async () => {
    const { loadGraphModel } = await import("@tensorflow/tfjs-converter")
    await import("@tensorflow/tfjs-backend-cpu")
    await tf.setBackend("cpu")
    const contents = new Map(files.map(({ contents, name }) => [name, contents]))
    const json = JSON.parse(contents.get("model.json") as string)
    const [{ paths, weights }] = json.weightsManifest
    const data = Buffer.concat(paths.map((name: string) => contents.get(name)))
    const model = await loadGraphModel({
      load: async () => ({ ...json, weightSpecs: weights, weightData: new Uint8Array(data).buffer })
    })
    const x = tf.tensor(Int32Array.from(images.data), [...images.shape], "int32")
    const outputs = model.execute({ images: x }, ["logits", "probabilities"]) as Array<tf.Tensor>
    const [logits, probabilities] = outputs.map(
      (output): HostTensor => float32(output.shape, output.dataSync() as Float32Array)
    )
    return { logits, probabilities, metadata: json.userDefinedMetadata, inputs: model.inputs }
  })

describe("an exported network gives the same outputs for any number of images", () => {
  it.effect.each(networks)("%s, as a SavedModel in TensorFlow", ([, served]) =>
    Effect.gen(function* () {
      const directory = yield* temporaryFolder
      yield* exportNetwork(served, "savedmodel", directory)
      const expected = yield* expectedOf(served)
      const [logits, probabilities] = yield* runSavedModel(
        directory,
        ["images", images],
        ["logits", "probabilities"]
      )
      assert.isBelow(distance(logits, expected.logits), 1e-5)
      assert.isBelow(distance(probabilities, expected.probabilities), 1e-5)
      const extra = fs.readFileSync(path.join(directory, "assets.extra", "model.json"), "utf8")
      assert.deepStrictEqual(JSON.parse(extra).classes, classes)
    })
  )

  it.effect.each(networks)("%s, in TensorFlow.js", ([, served]) =>
    Effect.gen(function* () {
      const expected = yield* expectedOf(served)
      const actual = yield* runTfjs(tfjsModel(yield* frozen(served), { classes }))
      assert.isBelow(distance(actual.logits, expected.logits), 1e-5)
      assert.isBelow(distance(actual.probabilities, expected.probabilities), 1e-5)
      assert.deepStrictEqual(actual.metadata, { classes })
      assert.deepStrictEqual(actual.inputs[0].shape, [-1, size.height, size.width, 3])
    })
  )

  const python = spawnSync("python3", [
    "-c",
    "import importlib.util, sys; sys.exit(importlib.util.find_spec('tensorflow') is None)"
  ])
  it.effect.skipIf(python.status !== 0)("all of them, as SavedModels in TensorFlow's own Python", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryFolder
      fs.writeFileSync(
        path.join(directory, "images.json"),
        JSON.stringify({ shape: images.shape, data: [...images.data] })
      )
      for (const [i, [, served]] of networks.entries()) {
        yield* exportNetwork(served, "savedmodel", path.join(directory, String(i)))
      }
      const script = path.join(import.meta.dirname, "saved_models.py")
      const { status, stderr } = spawnSync("python3", [script, directory], { encoding: "utf8" })
      assert.strictEqual(status, 0, stderr)
      for (const [i, [name, served]] of networks.entries()) {
        const expected = yield* expectedOf(served)
        const outputs = JSON.parse(fs.readFileSync(path.join(directory, String(i), "outputs.json"), "utf8"))
        for (const key of ["logits", "probabilities"] as const) {
          const actual = float32(expected[key].shape, Float32Array.from(outputs[key]))
          assert.isBelow(distance(actual, expected[key]), 1e-5, `${name} ${key}`)
        }
      }
    })
  )
})

describe("an exported network", () => {
  it.effect("as safetensors has PyTorch's names and layouts, and says what it is", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryFolder
      const [, served] = networks[0]
      const file = path.join(directory, "model.safetensors")
      yield* exportNetwork(served, "safetensors", file)
      const { metadata, tensors } = decode(fs.readFileSync(file))
      assert.deepStrictEqual(weightsFor(served.network, tensors), served.weights)
      assert.deepStrictEqual(tensors["conv2.weight"].shape, [2, 2, 3, 3])
      assert.deepStrictEqual(JSON.parse(metadata.model), { _tag: "SimpleCnn", width: 2, classes: 5 })
      assert.deepStrictEqual(JSON.parse(metadata.classes), classes)
      assert.deepStrictEqual(JSON.parse(metadata.mean), served.mean)
    })
  )

  it.effect("as a TensorFlow.js model is a file of the graph and shards of at most 4 MiB", () =>
    Effect.gen(function* () {
      const served = serve({ _tag: "WideResNet", depth: 10, widenFactor: 5 })
      const files = tfjsModel(yield* frozen(served), {})
      const shards = files.filter(({ name }) => name !== "model.json")
      assert.isAbove(shards.length, 1)
      assert.isTrue(shards.every(({ contents }) => contents.length <= 4 * 2 ** 20))
      const { weightsManifest } = JSON.parse(files.at(-1)!.contents as string)
      assert.deepStrictEqual(
        weightsManifest[0].paths,
        shards.map(({ name }) => name)
      )
    })
  )
})
