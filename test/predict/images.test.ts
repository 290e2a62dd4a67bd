import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import sharp from "sharp"
import { classifier, filesOf, servedNetwork } from "../../src/Predict.ts"
import { softmax } from "../../src/Train/Evaluate/Measures.ts"
import { servicesFor, smallDataset, smallRun, temporaryFolder } from "../support/Run.ts"

describe("predictions of image files", () => {
  it.effect("are those of the run's result, file by file; unreadable files are named", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryFolder
      const dataset = smallDataset()
      yield* Effect.gen(function* () {
        const { logits } = yield* smallRun(directory)
        const { height, pixels, width } = dataset.test.images
        const count = dataset.test.indices.length
        const folder = path.join(directory, "images")
        fs.mkdirSync(folder)
        const size = height * width * 3
        // Four times as many files as test images: more than one run of the graph takes.
        const names = Array.from({ length: 4 * count }, (_, i) => `${String(i).padStart(3, "0")}.png`)
        for (const [i, name] of names.entries()) {
          const image = Buffer.from(pixels.slice((i % count) * size, ((i % count) + 1) * size))
          const raw = { raw: { height, width, channels: 3 } } as const
          yield* Effect.promise(() => sharp(image, raw).png().toFile(path.join(folder, name)))
        }
        fs.writeFileSync(path.join(folder, "001a.png"), "not an image")

        const served = yield* servedNetwork(directory)
        assert.deepStrictEqual(served.classes, dataset.classes)
        const classify = yield* classifier(served)
        const batches = yield* Stream.runCollect(classify(yield* filesOf([folder])))
        const predictions = batches.flatMap((batch) => batch.predictions)
        assert.deepStrictEqual(
          predictions.map(({ file }) => path.basename(file)),
          names
        )
        const classes = dataset.classes.length
        for (const [i, { probabilities }] of predictions.entries()) {
          const row = logits.subarray((i % count) * classes, ((i % count) + 1) * classes)
          const expected = softmax(row, new Float64Array(classes))
          for (const [k, value] of expected.entries()) assert.closeTo(probabilities[k], value, 1e-5)
        }
        assert.deepStrictEqual(
          batches.flatMap((batch) => batch.unreadable.map(({ file }) => path.basename(file))),
          ["001a.png"]
        )
      }).pipe(Effect.provide(servicesFor(dataset)))
    })
  )

  it.effect("are made of files as given and of folders to their depths, in order, without hidden ones", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryFolder
      const names = [
        "b/2.JPG",
        "b/10.webp",
        "b/.hidden.png",
        "a.png",
        "b/c/d.jpeg",
        ".git/x.png",
        "notes.txt"
      ]
      for (const name of names) {
        fs.mkdirSync(path.dirname(path.join(directory, name)), { recursive: true })
        fs.writeFileSync(path.join(directory, name), "")
      }
      const notes = path.join(directory, "notes.txt")
      const files = yield* filesOf([notes, directory])
      assert.deepStrictEqual(
        files.map((file) => path.relative(directory, file)),
        ["notes.txt", "a.png", "b/10.webp", "b/2.JPG", "b/c/d.jpeg"]
      )
      const error = yield* Effect.flip(filesOf([path.join(directory, "none")]))
      assert.match(error.message, /cannot read .*none: there is no such file/)
    })
  )

  it.effect("need a run's folder with a checkpoint, and not the data that it was trained on", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryFolder
      const dataset = smallDataset()
      yield* Effect.provide(smallRun(directory), servicesFor(dataset))
      const served = yield* servedNetwork(directory)
      const { height, width } = dataset.train.images
      const { classes, mean, std } = dataset
      assert.deepStrictEqual(
        { classes: served.classes, mean: served.mean, std: served.std, size: served.size },
        { classes, mean, std, size: { height, width } }
      )
      fs.rmSync(path.join(directory, "checkpoints"), { recursive: true })
      const none = yield* Effect.flip(servedNetwork(directory))
      assert.match(none.message, /no checkpoint yet/)
    })
  )

  it.effect("take averages that get their batch statistics at the end of a run only from there", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryFolder
      const services = servicesFor(smallDataset())
      const averaged = { train: { swa: { start: 1 } }, model: { classes: 12 } }
      yield* Effect.provide(smallRun(directory, averaged), services)
      const { classes } = yield* servedNetwork(directory)
      assert.deepStrictEqual(classes.slice(9), ["stripes", "class 10", "class 11"])
      fs.rmSync(path.join(directory, "result.json"))
      const error = yield* Effect.flip(servedNetwork(directory, { checkpoint: "latest" }))
      assert.match(error.message, /batch statistics at its end/)
    })
  )
})
