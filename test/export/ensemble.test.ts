import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import sharp from "sharp"
import { predictEnsemble } from "../../src/Ensemble.ts"
import { exportEnsemble } from "../../src/Export.ts"
import { float32, uint8 } from "../../src/Tensor/HostTensor.ts"
import { dataset, open, services, trainedBefore } from "../ensemble/runs.ts"
import { distance } from "../support/Fixtures.ts"
import { runSavedModel } from "../support/SavedModel.ts"

const { copies } = trainedBefore({ a: { train: { epochs: 2 } }, b: { model: { width: 3 }, seed: 5 } })

const COUNT = 5
const { height, pixels, width } = dataset.test.images
const size = height * width * 3
const images = uint8([COUNT, height, width, 3], Uint8Array.from(pixels.slice(0, COUNT * size)))
const members = [{ run: "a", weight: 3 }, { run: "b" }]

/** Every way of combining that a graph has. */
const ways = [
  { rule: "MeanProbabilities" },
  { rule: "MeanLogits", temperature: 1.7, tta: "flip" },
  { rule: "MeanProbabilities", temperature: 0.6, tta: "flip", ttaMean: "Probabilities" }
] as const

const python = spawnSync("python3", ["-c", "import onnx, onnxruntime"])

describe("an ensemble as one graph", () => {
  it.effect("gives the ensemble's probabilities, and logits that they are the softmax of", () =>
    Effect.gen(function* () {
      const folder = yield* copies
      const files = Array.from({ length: COUNT }, (_, i) => path.join(folder, `${i}.png`))
      for (const [i, file] of files.entries()) {
        const image = Buffer.from(images.data.slice(i * size, (i + 1) * size))
        yield* Effect.promise(() =>
          sharp(image, { raw: { height, width, channels: 3 } })
            .png()
            .toFile(file)
        )
      }
      const onnx = path.join(folder, "onnx")
      fs.mkdirSync(onnx)
      const expected = []
      for (const [i, way] of ways.entries()) {
        const ensemble = yield* open(folder, members, way)
        const { predictions } = yield* predictEnsemble(ensemble, files)
        const classes = dataset.classes.length
        const rows = predictions.flatMap(({ probabilities }) => [...probabilities])
        const wanted = float32([COUNT, classes], Float32Array.from(rows))
        expected.push(wanted)
        const out = path.join(folder, `model-${i}`)
        yield* exportEnsemble(ensemble, "savedmodel", out)
        const outputs = ["logits", "probabilities"]
        const [logits, probabilities] = yield* runSavedModel(out, ["images", images], outputs)
        assert.isBelow(distance(probabilities, wanted), 1e-5, JSON.stringify(way))
        const shares = logits.data.map((value) => Math.exp(value))
        const sums = Array.from({ length: COUNT }, (_, n) =>
          shares.slice(n * classes, (n + 1) * classes).reduce((sum, value) => sum + value, 0)
        )
        const softmax = Float32Array.from(shares, (value, k) => value / sums[Math.floor(k / classes)])
        assert.isBelow(distance(float32(wanted.shape, softmax), wanted), 1e-5)
        const { members: told } = JSON.parse(
          fs.readFileSync(path.join(out, "assets.extra", "model.json"), "utf8")
        )
        assert.deepStrictEqual(
          told.map(({ weight }: { readonly weight: number }) => weight),
          [3, 1]
        )
        yield* exportEnsemble(ensemble, "onnx", path.join(onnx, `${i}.onnx`))
        const given = { dtype: "uint8", shape: images.shape, data: [...images.data] }
        fs.writeFileSync(path.join(onnx, `${i}.json`), JSON.stringify(given))
      }
      if (python.status !== 0) return
      const script = path.join(import.meta.dirname, "onnx_models.py")
      const { status, stderr } = spawnSync("python3", [script, onnx], { encoding: "utf8" })
      assert.strictEqual(status, 0, stderr)
      for (const [i, wanted] of expected.entries()) {
        const [, said] = JSON.parse(fs.readFileSync(path.join(onnx, `${i}.out.json`), "utf8"))
        assert.isBelow(distance(float32(wanted.shape, Float32Array.from(said)), wanted), 1e-5)
      }
    }).pipe(Effect.provide(services))
  )

  it.effect("is refused in one line for rules and views that are not part of a graph", () =>
    Effect.gen(function* () {
      const folder = yield* copies
      const out = path.join(folder, "model.onnx")
      const refusal = (way: Readonly<Record<string, unknown>>) =>
        Effect.gen(function* () {
          return (yield* Effect.flip(exportEnsemble(yield* open(folder, members, way), "onnx", out))).message
        })
      assert.match(yield* refusal({ rule: "MajorityVote" }), /^the rule MajorityVote cannot be written/)
      assert.match(yield* refusal({ tta: "ten-crop" }), /^the ensemble shows images moved or augmented/)
      assert.isFalse(fs.existsSync(out))
    }).pipe(Effect.provide(services))
  )
})
