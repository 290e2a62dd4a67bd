import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import sharp from "sharp"
import { Device } from "../../src/Device.ts"
import { combine, memberOutputs, type Outputs, predictEnsemble, prepare } from "../../src/Ensemble.ts"
import { countedDevice, dataset, open, services, trainedBefore } from "./runs.ts"

const { copies, logits } = trainedBefore({ a: { train: { epochs: 2 } }, b: { model: { width: 3 }, seed: 5 } })

const COUNT = 5
const CLASSES = 4
const both = [{ run: "a", weight: 3 }, { run: "b" }]

/** The first test images as PNG files, a file that is none behind the second. */
const writeImages = (folder: string) =>
  Effect.promise(async () => {
    const { height, pixels, width } = dataset.test.images
    const size = height * width * 3
    const files = Array.from({ length: COUNT }, (_, i) => path.join(folder, `${i}.png`))
    for (const [i, file] of files.entries()) {
      const image = Buffer.from(pixels.slice(i * size, (i + 1) * size))
      await sharp(image, { raw: { height, width, channels: 3 } })
        .png()
        .toFile(file)
    }
    const broken = path.join(folder, "broken.png")
    fs.writeFileSync(broken, "not an image")
    return { broken, files: files.toSpliced(2, 0, broken) }
  })

const first = (values: Float32Array): Outputs => ({
  images: COUNT,
  classes: CLASSES,
  values: values.slice(0, COUNT * CLASSES)
})

describe("predictEnsemble", () => {
  it.effect("gives what the members' own predictions combine to, and names files that it cannot read", () =>
    Effect.gen(function* () {
      const folder = yield* copies
      const { broken, files } = yield* writeImages(folder)
      const count = { live: 0, most: 0, all: 0 }
      for (const rule of ["MeanProbabilities", "MeanLogits", "RankMean"] as const) {
        const { predictions, unreadable } = yield* predictEnsemble(
          yield* open(folder, both, { rule }),
          files
        ).pipe(Effect.provide(countedDevice(count)))
        assert.deepStrictEqual(
          predictions.map(({ file }) => file),
          files.filter((file) => file !== broken)
        )
        assert.deepStrictEqual(
          unreadable.map(({ file }) => file),
          [broken]
        )
        const { values } = combine(rule, [first(logits.a), first(logits.b)], [3, 1])
        for (const [i, { probabilities }] of predictions.entries())
          for (const [k, value] of probabilities.entries())
            assert.closeTo(value, values[i * CLASSES + k], 1e-5)
      }
      assert.deepStrictEqual(count, { live: 0, most: 1, all: 6 })
    })
  )

  it.effect("shows images in every view, and divides by the temperature", () =>
    Effect.gen(function* () {
      const folder = yield* copies
      const { files } = yield* writeImages(folder)
      const ensemble = yield* open(folder, [{ run: "b" }], { tta: "airbench", temperature: 2 })
      yield* Effect.provide(prepare(ensemble, "test"), services)
      const [whole] = yield* Effect.provide(memberOutputs(ensemble, "test"), services)
      const { predictions } = yield* predictEnsemble(ensemble, files).pipe(
        Effect.provide(Device.layer("cpu"))
      )
      assert.strictEqual(predictions.length, COUNT)
      for (const [i, { probabilities }] of predictions.entries()) {
        const roots = Array.from(whole.values.subarray(i * CLASSES, (i + 1) * CLASSES), (z) =>
          Math.exp(z / 2)
        )
        const sum = roots.reduce((a, b) => a + b)
        for (const [k, value] of probabilities.entries()) assert.closeTo(value, roots[k] / sum, 1e-5)
      }
    })
  )

  it.effect("bears that no file can be read", () =>
    Effect.gen(function* () {
      const folder = yield* copies
      const { broken } = yield* writeImages(folder)
      const { predictions, unreadable } = yield* predictEnsemble(yield* open(folder, both), [broken]).pipe(
        Effect.provide(Device.layer("cpu"))
      )
      assert.deepStrictEqual([predictions.length, unreadable.length], [0, 1])
    })
  )

  it.effect("asks no member where the weights of one are damaged, and takes the data for a soup alone", () =>
    Effect.gen(function* () {
      const folder = yield* copies
      const { files } = yield* writeImages(folder)
      const count = { live: 0, most: 0, all: 0 }
      const damaged = yield* open(folder, both)
      const checkpoints = path.join(folder, "b", "checkpoints")
      for (const name of fs.readdirSync(checkpoints))
        if (name.endsWith(".safetensors")) fs.truncateSync(path.join(checkpoints, name), 50)
      const error = yield* Effect.flip(predictEnsemble(damaged, files)).pipe(
        Effect.provide(countedDevice(count))
      )
      assert.match(error.message, /has no whole best checkpoint: [^\n]* is damaged/)
      assert.strictEqual(count.all, 0)
      const soup = yield* open(folder, [{ soup: [{ run: "a" }, { run: "a", checkpoint: "latest" }] }])
      yield* Effect.provide(predictEnsemble(soup, files), services)
    })
  )
})
