import * as fs from "node:fs/promises"
import * as os from "node:os"
import * as path from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as TestConsole from "effect/testing/TestConsole"
import sharp from "sharp"
import { dataCommand } from "../../src/Cli/Data.ts"
import { Dataset, decodeConfig, load } from "../../src/Data.ts"
import { contactSheet } from "../../src/Report/Sheet/ContactSheet.ts"

let directory: string
let cacheHome: string | undefined

/** Twenty training and three test images of each of two classes, each of a colour of its own. */
beforeAll(async () => {
  directory = await fs.mkdtemp(path.join(os.tmpdir(), "shakedrop-load-"))
  cacheHome = process.env.XDG_CACHE_HOME
  process.env.XDG_CACHE_HOME = path.join(directory, "cache")
  for (const [split, count, red] of [["train", 20, 0] as const, ["test", 3, 255] as const])
    for (const [name, blue] of [["cold", 255] as const, ["warm", 0] as const]) {
      const folder = path.join(directory, "colours", split, name)
      await fs.mkdir(folder, { recursive: true })
      for (let i = 0; i < count; i++)
        await sharp({ create: { width: 4, height: 4, channels: 3, background: { r: red, g: i, b: blue } } })
          .png()
          .toFile(path.join(folder, `${String(i).padStart(2, "0")}.png`))
    }
})

afterAll(async () => {
  if (cacheHome === undefined) delete process.env.XDG_CACHE_HOME
  else process.env.XDG_CACHE_HOME = cacheHome
  await fs.rm(directory, { recursive: true, force: true })
})

const colours = (extra: object = {}) =>
  decodeConfig({ dataset: "folder", directory: path.join(directory, "colours"), size: 4, ...extra })

describe("DataConfig", () => {
  it.effect("fills in what is left out", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* decodeConfig({ dataset: "shapes" }), {
        dataset: "shapes",
        labels: "fine",
        size: 32,
        skipUnreadable: false,
        seed: 0
      })
    })
  )

  it.effect("refuses what is wrong in one line that names the key", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [input: object, part: string]> = [
        [{ dataset: "mnist" }, "dataset: "],
        [{ dataset: "cifar10" }, "directory: "],
        [{ dataset: "shapes", validation: -1 }, "validation: "],
        [{ dataset: "shapes", validation: 0.5 }, "validation: "],
        [{ dataset: "shapes", sise: 32 }, "sise is not a known key"],
        [{ dataset: "folder", directory: "x", size: [32, 0] }, "size.1: "],
        [{ dataset: "shapes", seed: -1 }, "seed: "]
      ]
      for (const [input, part] of cases) {
        const { message } = yield* Effect.flip(decodeConfig(input))
        assert.include(message, part)
        assert.notInclude(message, "\n")
      }
    })
  )
})

describe("Dataset", () => {
  it.effect("loads shapes with a tenth for validation", () =>
    Effect.gen(function* () {
      const { name, train, validation, test, mean, std } = yield* Dataset
      assert.strictEqual(name, "shapes")
      assert.deepStrictEqual(
        [train, validation, test].map((split) => split.indices.length),
        [9000, 1000, 2000]
      )
      assert.strictEqual(new Set([...train.indices, ...validation.indices]).size, 10_000)
      const perClass = new Array<number>(10).fill(0)
      for (const index of validation.indices) perClass[validation.labels[index]]++
      assert.deepStrictEqual(perClass, new Array<number>(10).fill(100))
      for (const value of mean) assert.approximately(value, 0.5, 0.02)
      for (const value of std) assert.approximately(value, 0.29, 0.02)
    }).pipe(
      Effect.provide(
        Dataset.layer({ dataset: "shapes", labels: "fine", size: 32, skipUnreadable: false, seed: 0 })
      )
    )
  )

  it.effect("gives another validation split for another seed, and nothing else", () =>
    Effect.gen(function* () {
      const [a, b] = yield* Effect.forEach([1, 2], (seed) => colours({ seed }).pipe(Effect.flatMap(load)))
      assert.notDeepEqual(a.validation.indices, b.validation.indices)
      assert.strictEqual(a.validation.indices.length, 4)
      assert.deepStrictEqual(a.test, b.test)
      assert.strictEqual(a.fingerprint, b.fingerprint)
      assert.deepStrictEqual(a.mean, b.mean)
      assert.deepStrictEqual(
        a.mean.map((value) => Math.round(value * 2550)),
        [0, 95, 1275]
      )
    })
  )

  it.effect("holds out as many images as asked, or refuses", () =>
    Effect.gen(function* () {
      const none = yield* load(yield* colours({ validation: 0 }))
      assert.strictEqual(none.train.indices.length, 40)
      assert.strictEqual(none.validation.indices.length, 0)
      const error = yield* Effect.flip(load(yield* colours({ validation: 40 })))
      assert.strictEqual(error._tag, "DataError")
    })
  )
})

describe("contactSheet", () => {
  it.effect("shows each image enlarged at its place, with its label below", () =>
    Effect.gen(function* () {
      const plain = (value: number, label?: string) => ({
        pixels: new Uint8Array(2 * 2 * 3).fill(value),
        height: 2,
        width: 2,
        ...(label === undefined ? {} : { label })
      })
      const images = [plain(10), plain(90), plain(200, "<&>")]
      const png = yield* contactSheet(images, { columns: 2, scale: 10 })
      const { data, info } = yield* Effect.promise(() =>
        sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true })
      )
      assert.deepStrictEqual([info.width, info.height], [6 + 2 * 26, 6 + 2 * 42])
      const at = (x: number, y: number) => data[(y * info.width + x) * 3]
      assert.deepStrictEqual([at(6, 6), at(25, 25), at(26, 26)], [10, 10, 255])
      assert.deepStrictEqual([at(32, 6), at(51, 25), at(6, 48), at(25, 67)], [90, 90, 200, 200])
    })
  )

  it.effect("writes any name below an image, also one with characters that XML does not have", () =>
    Effect.gen(function* () {
      const pixels = new Uint8Array(2 * 2 * 3)
      for (const label of ["a\u001b[31m", "b\nc", "\u0000\u0008", "\ud800", "\uffff", "日本 😀", "]]>"]) {
        const png = yield* contactSheet([{ pixels, height: 2, width: 2, label }], { columns: 1, scale: 10 })
        assert.strictEqual(Buffer.from(png).toString("latin1", 1, 4), "PNG", label)
      }
    })
  )
})

describe("shakedrop data", () => {
  const run = (args: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      yield* Command.runWith(dataCommand, { version: "0" })(args)
      return (yield* TestConsole.logLines).map(String).join("\n")
    }).pipe(Effect.provide(NodeServices.layer))

  it.effect("info shows counts, statistics and a contact sheet", () =>
    Effect.gen(function* () {
      const sheet = path.join(directory, "sheets", "colours.png")
      const folder = path.join(directory, "colours")
      const output = yield* run([
        "info",
        "--dataset",
        "folder",
        "--data-dir",
        folder,
        "--size",
        "4",
        "--out",
        sheet
      ])
      assert.match(output, /^colours: 2 classes, images of 4×4 pixels$/m)
      assert.match(output, /^cold +18 +2 +3$/m)
      assert.match(output, /^total +36 +4 +6$/m)
      assert.match(output, /^mean +0\.0000 0\.0373 0\.5000$/m)
      assert.match(output, /^fingerprint +[0-9a-f]{64}$/m)
      const { format, width } = yield* Effect.promise(() => sharp(sheet).metadata())
      assert.deepStrictEqual([format, width], ["png", 6 + 10 * 70])
    })
  )

  it.effect("import says what it has prepared, and fails for a folder that is not there", () =>
    Effect.gen(function* () {
      const output = yield* run(["import", path.join(directory, "colours"), "--size", "8"])
      assert.match(output, /^colours: 40 training and 6 test images of 2 classes in [\d.]+ s/)
      const error = yield* Effect.flip(run(["import", path.join(directory, "nowhere")]))
      assert.include(error.message, "there is no such file or folder")
    })
  )
})
