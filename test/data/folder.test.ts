import * as fs from "node:fs/promises"
import * as os from "node:os"
import * as path from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import sharp from "sharp"
import { explain } from "../../src/Cli/Shared/Explain.ts"
import { imageFolder } from "../../src/Data/ImageFolder.ts"
import { splitDataset } from "../../src/Data/Load.ts"
import { heardParts, heardTexts } from "../support/Events.ts"

let directory: string
let cacheHome: string | undefined

beforeEach(async () => {
  directory = await fs.mkdtemp(path.join(os.tmpdir(), "shakedrop-folder-"))
  cacheHome = process.env.XDG_CACHE_HOME
  process.env.XDG_CACHE_HOME = path.join(directory, "cache")
})

afterEach(async () => {
  if (cacheHome === undefined) delete process.env.XDG_CACHE_HOME
  else process.env.XDG_CACHE_HOME = cacheHome
  await fs.rm(directory, { recursive: true, force: true })
})

const root = (): string => path.join(directory, "pets")

const write = (file: string, contents: Uint8Array | string): Effect.Effect<void> =>
  Effect.promise(async () => {
    await fs.mkdir(path.dirname(path.join(root(), file)), { recursive: true })
    await fs.writeFile(path.join(root(), file), contents)
  })

/** Writes an image of one colour; the file's ending says in which format. */
const image = (file: string, background: string, side = 8): Effect.Effect<void> =>
  Effect.promise(async () => {
    await fs.mkdir(path.dirname(path.join(root(), file)), { recursive: true })
    await sharp({ create: { width: side, height: side, channels: 4, background } }).toFile(
      path.join(root(), file)
    )
  })

const smallFolder = Effect.fnUntraced(function* () {
  yield* image("train/cat/1.png", "#ff0000")
  yield* image("train/cat/2.webp", "#00ff00", 20)
  yield* image("train/dog/1.jpg", "#808080")
  yield* image("test/dog/9.jpeg", "#ffffff")
})

/** What is told of it: its test folder has no cats. */
const noCats = (): string =>
  `${root()} has no test images of 1 of its 2 classes (cat): nothing is measured on them`

const options = { size: [8, 8], skipUnreadable: false } as const

/** Collects what people are told. */
const withTexts = Effect.fnUntraced(function* <A, E>(effect: Effect.Effect<A, E>) {
  const lines: Array<string> = []
  const value = yield* effect.pipe(heardTexts((text) => lines.push(text)))
  return { value, lines }
})

const cacheFiles = Effect.promise(async () => {
  const folder = path.join(directory, "cache", "shakedrop", "datasets")
  return (await fs.readdir(folder)).map((name) => path.join(folder, name))
})

/** The colour of an image's middle. */
const middle = (images: { readonly pixels: Uint8Array }, index: number): Array<number> =>
  Array.from(images.pixels.subarray((index * 64 + 36) * 3, (index * 64 + 37) * 3))

describe("imageFolder", () => {
  it.effect("reads train and test folders in every format, resized, with sorted classes", () =>
    Effect.gen(function* () {
      yield* smallFolder()
      yield* write("train/cat/notes.txt", "not an image")
      yield* write("train/cat/.hidden.png", "not an image")
      yield* image("train/emu/1.png", "rgba(255, 255, 255, 0)")
      const set = yield* imageFolder(root(), options)
      assert.strictEqual(set.name, "pets")
      assert.deepStrictEqual(set.classes, ["cat", "dog", "emu"])
      assert.deepStrictEqual(Array.from(set.train.labels), [0, 0, 1, 2])
      assert.deepStrictEqual(Array.from(set.test.labels), [1])
      assert.strictEqual(set.train.images.pixels.length, 4 * 8 * 8 * 3)
      assert.instanceOf(set.train.images.pixels.buffer, SharedArrayBuffer)
      assert.deepStrictEqual(middle(set.train.images, 0), [255, 0, 0])
      assert.deepStrictEqual(middle(set.train.images, 2), [128, 128, 128])
      assert.deepStrictEqual(middle(set.train.images, 3), [0, 0, 0])
      assert.deepStrictEqual(middle(set.test.images, 0), [255, 255, 255])
    })
  )

  it.effect("leaves sharp as the program has set it, also where decoding fails", () =>
    Effect.gen(function* () {
      const before = { concurrency: sharp.concurrency(), cache: sharp.cache() }
      sharp.concurrency(3)
      sharp.cache({ memory: 7, files: 5, items: 11 })
      const seen = () => {
        const { memory, files, items } = sharp.cache()
        return [sharp.concurrency(), memory.max, files.max, items.max]
      }
      yield* smallFolder()
      yield* imageFolder(root(), options)
      assert.deepStrictEqual(seen(), [3, 7, 5, 11])
      yield* write("train/cat/broken.png", "no image")
      yield* Effect.flip(imageFolder(root(), options))
      assert.deepStrictEqual(seen(), [3, 7, 5, 11])
      const { memory, files, items } = before.cache
      sharp.concurrency(before.concurrency)
      sharp.cache({ memory: memory.max, files: files.max, items: items.max })
    })
  )

  it.effect("keeps the pixels of an image that has the asked size", () =>
    Effect.gen(function* () {
      yield* smallFolder()
      const pixels = Uint8Array.from({ length: 192 }, (_, i) => (i * 37) % 256)
      const raw = { width: 8, height: 8, channels: 3 } as const
      const png = yield* Effect.promise(() => sharp(pixels, { raw }).png().toBuffer())
      yield* write("train/cat/0.png", png)
      const { train } = yield* imageFolder(root(), options)
      assert.deepStrictEqual(train.images.pixels.slice(0, 192), pixels)
    })
  )

  it.effect("takes a second start out of the cache, and decodes again what has changed", () =>
    Effect.gen(function* () {
      yield* smallFolder()
      const progress: Array<string> = []
      const noted = heardParts("Decoded", (done, total) => progress.push(`${done}/${total}`))
      const first = yield* imageFolder(root(), options).pipe(noted)
      assert.deepStrictEqual(progress, ["1/4", "2/4", "3/4", "4/4"])
      const second = yield* imageFolder(root(), options).pipe(noted)
      assert.strictEqual(progress.length, 4)
      assert.deepStrictEqual(second, first)

      yield* image("train/cat/1.png", "#0000ff")
      const changed = yield* imageFolder(root(), options).pipe(noted)
      assert.strictEqual(progress.length, 8)
      assert.deepStrictEqual(middle(changed.train.images, 0), [0, 0, 255])
      yield* imageFolder(root(), { ...options, size: [4, 8] }).pipe(noted)
      assert.strictEqual(progress.length, 12)
    })
  )

  it.effect("takes no data set for another of the same names, sizes and times of modification", () =>
    Effect.gen(function* () {
      yield* smallFolder()
      const sizes = new Set<number>()
      const withFixedTime = (color: string) =>
        Effect.gen(function* () {
          const create = { width: 8, height: 8, channels: 3, background: color } as const
          // Uncompressed, so that every colour has the same size.
          const png = sharp({ create }).png({ compressionLevel: 0, adaptiveFiltering: false })
          yield* write("train/cat/1.png", yield* Effect.promise(() => png.toBuffer()))
          const file = path.join(root(), "train/cat/1.png")
          yield* Effect.promise(() => fs.utimes(file, 1e9, 1e9))
          sizes.add((yield* Effect.promise(() => fs.stat(file))).size)
          return middle((yield* imageFolder(root(), options)).train.images, 0)
        })
      assert.deepStrictEqual(yield* withFixedTime("#0000ff"), [0, 0, 255])
      assert.deepStrictEqual(yield* withFixedTime("#00ff00"), [0, 255, 0])
      // A copy of the folder that was made with other contents, moved into its place.
      yield* Effect.promise(() =>
        fs.cp(root(), `${root()}-copy`, { recursive: true, preserveTimestamps: true })
      )
      yield* Effect.promise(() => fs.rm(root(), { recursive: true }))
      yield* Effect.promise(() => fs.rename(`${root()}-copy`, root()))
      assert.deepStrictEqual(yield* withFixedTime("#0000ff"), [0, 0, 255])
      assert.strictEqual(sizes.size, 1)
    })
  )

  it.effect("rebuilds a damaged cache, saying so", () =>
    Effect.gen(function* () {
      yield* smallFolder()
      const first = yield* imageFolder(root(), options)
      const [file] = yield* cacheFiles
      const bytes = yield* Effect.promise(() => fs.readFile(file))
      const flipped = Uint8Array.from(bytes)
      flipped[bytes.length - 100] ^= 1
      const renamed = Buffer.from(bytes)
      renamed.write("cow", bytes.indexOf("cat"))
      for (const damaged of [
        flipped,
        renamed,
        bytes.subarray(0, 300),
        bytes.subarray(0, 2),
        Buffer.alloc(900)
      ]) {
        yield* Effect.promise(() => fs.writeFile(file, damaged))
        const { value, lines } = yield* withTexts(imageFolder(root(), options))
        assert.deepStrictEqual(value, first)
        assert.deepStrictEqual(lines, [`the cache ${file} is damaged: decoding the images again`, noCats()])
        assert.deepStrictEqual(yield* Effect.promise(() => fs.readFile(file)), bytes)
      }
    })
  )

  it.effect("removes caches that killed processes left half-written, and no others", () =>
    Effect.gen(function* () {
      yield* smallFolder()
      const folder = path.join(directory, "cache", "shakedrop", "datasets")
      const [old, young, other] = [
        "folder-0a.images.0123abcd.tmp",
        "folder-0b.images.0123abcd.tmp",
        "notes.tmp"
      ]
      yield* Effect.promise(async () => {
        await fs.mkdir(folder, { recursive: true })
        for (const name of [old, young, other]) await fs.writeFile(path.join(folder, name), "half")
        for (const name of [old, other]) await fs.utimes(path.join(folder, name), 1e9, 1e9)
      })
      yield* TestClock.setTime(Date.now())
      yield* imageFolder(root(), options)
      const names = (yield* cacheFiles).map((file) => path.basename(file))
      assert.notInclude(names, old)
      assert.include(names, young)
      assert.include(names, other)
    })
  )

  it.effect("takes the images of a validation folder for validation, out of the cache too", () =>
    Effect.gen(function* () {
      for (const name of ["cat", "dog"]) {
        for (let i = 0; i < 6; i++) yield* image(`train/${name}/${i}.png`, "#ff0000")
        for (let i = 0; i < 5; i++) yield* image(`Valid/${name}/${i}.png`, "#00ff00")
      }
      yield* write("Valid/cat/9.png", "not an image")
      const skipping = { ...options, skipUnreadable: true }
      for (const start of ["decoded", "cached"]) {
        const set = yield* imageFolder(root(), skipping)
        assert.strictEqual(set.train.labels.length + set.test.labels.length, 22, start)
        assert.strictEqual(set.validation, 10)
        const { train, validation } = yield* splitDataset(set)
        assert.strictEqual(train.indices.length, set.train.labels.length - 10)
        for (const index of train.indices) assert.deepStrictEqual(middle(train.images, index), [255, 0, 0])
        for (const index of validation.indices)
          assert.deepStrictEqual(middle(validation.images, index), [0, 255, 0])
        assert.deepStrictEqual(
          Array.from(validation.indices, (index) => validation.labels[index]),
          [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
        )
        assert.deepStrictEqual(
          Array.from(set.test.labels, (_, i) => middle(set.test.images, i)),
          [[255, 0, 0]]
        )
        // Other validation images are other data, whatever folder the pixels lie in.
        const fewer = yield* splitDataset({ ...set, validation: 9 })
        const { fingerprint } = yield* splitDataset(set)
        assert.notStrictEqual(fewer.fingerprint, fingerprint)
        const { value, lines } = yield* withTexts(splitDataset(set, { validation: 3 }))
        assert.strictEqual(value.fingerprint, fingerprint)
        assert.include(
          lines,
          "the data set has 10 validation images of its own: they are taken, and not 3 of the training images"
        )
      }
    })
  )

  it.effect("takes no test set from classes of one image each", () =>
    Effect.gen(function* () {
      for (const name of ["cat", "dog"]) yield* image(`${name}/0.png`, "#ff0000")
      assert.strictEqual(
        (yield* Effect.flip(imageFolder(root(), options))).message,
        `${root()} has no test folder, and one image in each class: none can be taken for a test set; add images, or a folder test`
      )
    })
  )

  it.effect("makes a fixed tenth of each class the test set where there is none, and says so", () =>
    Effect.gen(function* () {
      for (let i = 0; i < 20; i++)
        for (const name of ["cat", "dog"]) yield* image(`${name}/${i}.png`, `rgb(${i}, 0, 0)`)
      const { value, lines } = yield* withTexts(imageFolder(root(), options))
      assert.strictEqual(value.train.images.count, 36)
      assert.deepStrictEqual(Array.from(value.test.labels), [0, 0, 1, 1])
      assert.strictEqual(lines.length, 1)
      assert.include(lines[0], "has no test folder: 4 of its 40 images")
      // No image is in both.
      const of = (split: typeof value.test) =>
        Array.from(split.labels, (label, i) => `${label} ${middle(split.images, i)[0]}`)
      assert.strictEqual(new Set([...of(value.train), ...of(value.test)]).size, 40)
    })
  )

  it.effect("names an unreadable image, and leaves it out only when asked", () =>
    Effect.gen(function* () {
      yield* smallFolder()
      for (let i = 0; i < 7; i++) yield* write(`train/dog/bad${i}.jpg`, "no image")
      const file = path.join(root(), "train/dog/bad0.jpg")
      const expected = `cannot read the image ${file}: it is a text file, not an image`
      const error = yield* Effect.flip(imageFolder(root(), options))
      assert.strictEqual(error._tag, "DataError")
      assert.strictEqual(error.message, expected)
      assert.include(
        explain(error),
        `${expected}: repair or remove it, or leave such images out with --skip-unreadable`
      )

      const skipping = { ...options, skipUnreadable: true }
      for (const start of ["decoded", "cached"]) {
        const { value, lines } = yield* withTexts(imageFolder(root(), skipping))
        assert.deepStrictEqual(Array.from(value.train.labels), [0, 0, 1], start)
        assert.deepStrictEqual(middle(value.train.images, 2), [128, 128, 128])
        assert.strictEqual(lines.length, 2)
        assert.strictEqual(lines[1], noCats())
        assert.include(lines[0], "skipped 7 unreadable image(s)")
        assert.include(lines[0], "bad4.jpg (it is a text file, not an image) and 2 more")
      }
      assert.include((yield* Effect.flip(imageFolder(root(), options))).message, expected)
    })
  )

  it.effect("reports a cut-off image and a link to nothing as unreadable", () =>
    Effect.gen(function* () {
      yield* smallFolder()
      const whole = yield* Effect.promise(() => fs.readFile(path.join(root(), "train/dog/1.jpg")))
      yield* write("train/dog/2.jpg", whole.subarray(0, whole.length - 60))
      assert.include(
        (yield* Effect.flip(imageFolder(root(), options))).message,
        "train/dog/2.jpg: the JPEG image is cut off ("
      )
      yield* Effect.promise(() => fs.rm(path.join(root(), "train/dog/2.jpg")))
      yield* Effect.promise(() => fs.symlink("nowhere", path.join(root(), "train/dog/3.jpg")))
      const message = (yield* Effect.flip(imageFolder(root(), options))).message
      assert.include(message, "train/dog/3.jpg: there is no such file or folder")
    })
  )

  it.effect("refuses a folder that is missing, has an empty class, or tests an unknown class", () =>
    Effect.gen(function* () {
      const fails = Effect.fnUntraced(function* (tag: string, part: string) {
        const error = yield* Effect.flip(imageFolder(root(), options))
        assert.strictEqual(error._tag, tag)
        assert.include(error.message, part)
        assert.notInclude(error.message, "\n")
      })
      yield* fails("StorageError", `cannot read ${root()}: there is no such file or folder`)
      yield* image("test/dog/1.png", "#000000")
      yield* fails("DataError", "has a folder test but no folder train")
      yield* image("train/dog/1.png", "#000000")
      yield* fails("DataError", "has 1 class folder(s)")
      yield* write("train/cat/readme.md", "soon")
      yield* fails("DataError", `the class folder ${path.join(root(), "train/cat")} has no images`)
      yield* image("train/cat/1.png", "#000000")
      yield* image("test/emu/1.png", "#000000")
      yield* fails("DataError", `the class "emu" of ${path.join(root(), "test")}`)
    })
  )

  it.effect("refuses classes that lose all their images", () =>
    Effect.gen(function* () {
      yield* smallFolder()
      yield* write("train/dog/1.jpg", "no image")
      const error = yield* Effect.flip(imageFolder(root(), { ...options, skipUnreadable: true }))
      assert.include(error.message, `no training image of the class "dog"`)
    })
  )

  it.effect("says which cache cannot be written, before it decodes anything", () =>
    Effect.gen(function* () {
      yield* smallFolder()
      yield* write("file", "")
      process.env.XDG_CACHE_HOME = path.join(root(), "file")
      let decoded = 0
      const counted = heardParts("Decoded", () => decoded++)
      const error = yield* Effect.flip(imageFolder(root(), options)).pipe(counted)
      assert.strictEqual(error._tag, "DataError")
      assert.include(error.message, "set XDG_CACHE_HOME to a folder that can be written")
      assert.include(error.message, "a part of the path is not a folder")
      assert.strictEqual(decoded, 0)
    })
  )
})
