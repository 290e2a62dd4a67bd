import * as fs from "node:fs"
import * as path from "node:path"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import sharp from "sharp"
import { checkExport, exportNetwork } from "../../src/Export.ts"
import { onCpu } from "../support/OnCpu.ts"
import { temporaryFolder } from "../support/Run.ts"
import { classes, count, images, networks, size } from "./support.ts"

const [[, served]] = networks

/** The images as files, and one that is none. */
const writeImages = (directory: string) =>
  Effect.forEach(Array.from({ length: count }), (_, i) =>
    Effect.promise(async () => {
      const bytes = size.height * size.width * 3
      const pixels = Buffer.from(images.data.slice(i * bytes, (i + 1) * bytes))
      const file = path.join(directory, `${i}.png`)
      await sharp(pixels, { raw: { ...size, channels: 3 } })
        .png()
        .toFile(file)
      return file
    })
  )

it.effect("an export is run beside the network, and the largest difference is told", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryFolder
    const files = yield* writeImages(directory)
    const broken = path.join(directory, "broken.png")
    fs.writeFileSync(broken, "no image")
    for (const input of ["nhwc", "normalized"] as const) {
      const out = path.join(directory, input)
      yield* exportNetwork(served, "tfjs", out, { input })
      const compared = yield* checkExport(served, "tfjs", out, { files: [...files, broken], input })
      assert.deepInclude(compared, { images: count, sameClass: count, unreadable: 1 })
      assert.isBelow(compared.logits, 1e-5)
      assert.isBelow(compared.probabilities, 1e-5)
      assert.isAbove(compared.largest, 0)
    }
    // Another network's export, which has the same form.
    const out = path.join(directory, "other")
    const weights = { ...served.weights }
    const bias = Object.keys(weights).findLast((name) => weights[name].shape[0] === classes.length)!
    weights[bias] = {
      ...weights[bias],
      data: (weights[bias].data as Float32Array).map((value) => value + 0.1)
    }
    yield* exportNetwork({ ...served, weights }, "tfjs", out)
    const { message } = yield* Effect.flip(checkExport(served, "tfjs", out, { files }))
    assert.match(
      message,
      /^the export gives other numbers than the network: logits are up to 0\.\d+ apart on 5 images$/
    )
  }).pipe(onCpu)
)

it.effect("what cannot be run is told in one line", () =>
  Effect.gen(function* () {
    const options = { files: ["image.png"] }
    const savedModel = yield* Effect.flip(checkExport(served, "savedmodel", "out", options))
    assert.match(savedModel.message, /^savedmodel cannot be run from here/)
    const onnx = yield* Effect.flip(checkExport(served, "onnx", "out.onnx", options))
    assert.match(onnx.message, /^the export is run by onnxruntime-node, which is not installed$/)
  }).pipe(onCpu)
)
