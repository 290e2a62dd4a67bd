import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import sharp from "sharp"
import { decodeImages } from "../../src/Data/ImageFolder/Decode.ts"
import { formatOf, promisesImage } from "../../src/Data/ImageFolder/Format.ts"
import { leftOutLines } from "../../src/Data/ImageFolder/LeftOut.ts"
import { scanFolder } from "../../src/Data/ImageFolder/Scan.ts"
import { imagesBelow } from "../../src/Data/ImageFolder/Walk.ts"
import { heardTexts } from "../support/Events.ts"

let root: string

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "shakedrop-scan-"))
})

afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

const solid = sharp({ create: { width: 8, height: 8, channels: 3, background: "#c06020" } })

/** Images of one colour, by their formats. */
const formats: Readonly<Record<string, Uint8Array>> = {
  jpeg: await solid.clone().jpeg().toBuffer(),
  png: await solid.clone().png().toBuffer(),
  webp: await solid.clone().webp().toBuffer(),
  gif: await solid.clone().gif().toBuffer(),
  tiff: await solid.clone().tiff().toBuffer(),
  heif: await solid.clone().avif().toBuffer(),
  svg: Buffer.from(
    `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8" fill="#c06020"/></svg>`
  )
}
const { png } = formats

/** The beginning of a BMP, as much as tells what it is. */
const bmp = Buffer.from("BM\x36\x0c\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", "latin1")
const heic = Buffer.from("\0\0\0\x18ftypheic\0\0\0\0mif1heic", "latin1")
const pointer =
  "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"

const write = (file: string, contents: Uint8Array | string = png): void => {
  const at = path.join(root, file)
  fs.mkdirSync(path.dirname(at), { recursive: true })
  fs.writeFileSync(at, contents)
}

const link = (from: string, to: string): void => fs.symlinkSync(to, path.join(root, from))

/** Runs the search, with what people are told. */
const scan = Effect.fnUntraced(function* () {
  const told: Array<string> = []
  const found = yield* scanFolder(root).pipe(heardTexts((text) => told.push(text)))
  return { ...found, told }
})

const refusal = () => Effect.map(Effect.flip(scanFolder(root)), ({ message }) => message)

const pathsOf = (images: ReadonlyArray<{ readonly path: string }> | undefined) =>
  images?.map((image) => image.path)

describe("the search for images", () => {
  it.effect("takes everything that the installed sharp decodes, by its name or by its first bytes", () =>
    Effect.gen(function* () {
      const readable = Object.values(sharp.format).filter(({ id, input }) => input.buffer && id !== "raw")
      assert.deepStrictEqual(readable.map(({ id }) => id).sort(), Object.keys(formats).sort())
      for (const { id, input } of readable) {
        const suffixes = (input as { readonly fileSuffix?: ReadonlyArray<string> }).fileSuffix ?? []
        // A compressed drawing is no image that one meets in a data set.
        for (const suffix of suffixes.filter((suffix) => !suffix.includes("gz"))) {
          assert.isTrue(promisesImage(`a${suffix}`), suffix)
          assert.isTrue(promisesImage(`a${suffix.toUpperCase()}`), suffix)
          write(`a/x${suffix}`, formats[id])
        }
        write(`b/${id}`, formats[id])
        write(`b/${id}.dat`, formats[id])
      }
      const { classes, told, train } = yield* scan()
      assert.deepStrictEqual(classes, ["a", "b"])
      assert.deepStrictEqual(told, [])
      assert.strictEqual(train.length, 11 + 2 * 7)
      const options = { height: 8, width: 8, skipUnreadable: false, onDecoded: () => {} }
      const { images, labels } = yield* decodeImages(root, train, options)
      assert.strictEqual(labels.length, train.length)
      for (let i = 0; i < train.length; i++) {
        const at = (i * 64 + 36) * 3
        const [r, g, b] = images.pixels.subarray(at, at + 3)
        // JPEG and AVIF are lossy.
        assert.isBelow(Math.abs(r - 0xc0) + Math.abs(g - 0x60) + Math.abs(b - 0x20), 12, train[i].path)
      }
    })
  )

  it.effect("leaves nothing out without a line for its kind", () =>
    Effect.gen(function* () {
      for (const name of ["cat", "dog"]) write(`train/${name}/1.png`)
      write("test/cat/1.png")
      write("test/dog/1.png")
      write("train/cat/1.bmp", bmp)
      write("train/dog/2.BMP", bmp)
      write("train/dog/3.heic", heic)
      write("train/dog/4.NEF", formats.tiff)
      write("train/dog/5", pointer)
      write("train/cat/notes.txt", "not an image")
      write("train/cat/archive.zip", "PK\x03\x04")
      write("train/cat/.hidden.png")
      write("train/.ipynb_checkpoints/1.png")
      write("__MACOSX/train/cat/._1.png")
      write("Thumbs.db", "\0")
      write("train/stray.png")
      write("extra/1.png")
      link("train/dog/gone", "/nowhere")
      execFileSync("mkfifo", [path.join(root, "train/dog/pipe")])
      link("train/dog/zero", "/dev/zero")
      const { told, train } = yield* scan()
      assert.deepStrictEqual(pathsOf(train), ["train/cat/1.png", "train/dog/1.png"])
      const at = (file: string) => path.join(root, file)
      assert.deepStrictEqual(told.sort(), [
        `left out 1 Git LFS pointer, for instance ${at("train/dog/5")}: it is a Git LFS pointer, in the place of a file that was not fetched`,
        `left out 1 HEIC image, for instance ${at("train/dog/3.heic")}: it is a HEIC image, which cannot be decoded`,
        `left out 1 broken link, for instance ${at("train/dog/gone")}: there is nothing where it leads`,
        `left out 1 camera raw image, for instance ${at("train/dog/4.NEF")}: it is a camera raw image, which cannot be decoded`,
        `left out 1 folder, for instance ${at("extra")}: its name is none of those of training, validation and test images`,
        `left out 1 stray image, for instance ${at("train/stray.png")}: it has no class: it lies beside the class folders, not in one`,
        `left out 2 BMP images, for instance ${at("train/cat/1.bmp")}: it is a BMP image, which cannot be decoded`,
        `left out 2 other files, for instance ${at("train/cat/archive.zip")}: it is not an image`,
        `left out 2 special files, for instance ${at("train/dog/pipe")}: a pipe, socket or device is not a regular file`,
        `left out 4 hidden or system files, for instance ${at("Thumbs.db")}: its name begins with a dot, or is one that systems give`
      ])
    })
  )

  it.effect("goes into folders within a class and into linked ones, and out of a circle", () =>
    Effect.gen(function* () {
      write("cat/3.png")
      write("cat/day1/1.png")
      write("cat/day1/deeper/2.JPG", formats.jpeg)
      write("cat/sub.png/4.png")
      write("dog/1.png")
      const apart = `${root}-apart`
      fs.mkdirSync(apart)
      fs.writeFileSync(path.join(apart, "5.png"), png)
      link("dog/more", apart)
      link("dog/self", ".")
      link("cat/day1/up", "..")
      link("emu", apart)
      // Over the class, to all classes.
      link("cat/all", "..")
      link("dog/everything", root)
      const { classes, told, train } = yield* scan()
      fs.rmSync(apart, { recursive: true })
      assert.deepStrictEqual(classes, ["cat", "dog", "emu"])
      assert.deepStrictEqual(pathsOf(train), [
        "cat/3.png",
        "cat/day1/1.png",
        "cat/day1/deeper/2.JPG",
        "cat/sub.png/4.png",
        "dog/1.png",
        "dog/more/5.png",
        "emu/5.png"
      ])
      assert.deepStrictEqual(
        train.map((image) => image.label),
        [0, 0, 0, 0, 1, 1, 2]
      )
      assert.deepStrictEqual(told, [
        `left out 4 linked folders, for instance ${path.join(root, "cat/all")}: it is read already, or leads back up`
      ])
    })
  )

  it.effect("knows the folders of splits by the names that they are given", () =>
    Effect.gen(function* () {
      for (const [train, val, test] of [
        ["train", "val", "test"],
        ["Training", "valid", "Testing"],
        ["TRAIN", "validation", "TEST"],
        ["training_set", "Val", "test_set"]
      ]) {
        for (const split of [train, val, test])
          for (const name of ["cat", "dog"]) write(`${split}/${name}/${split}.png`)
        const found = yield* scan()
        assert.deepStrictEqual(found.classes, ["cat", "dog"])
        assert.deepStrictEqual(pathsOf(found.train), [
          `${train}/cat/${train}.png`,
          `${train}/dog/${train}.png`
        ])
        assert.deepStrictEqual(pathsOf(found.validation), [`${val}/cat/${val}.png`, `${val}/dog/${val}.png`])
        assert.deepStrictEqual(pathsOf(found.test), [`${test}/cat/${test}.png`, `${test}/dog/${test}.png`])
        assert.deepStrictEqual(found.told, [])
        for (const split of [train, val, test]) fs.rmSync(path.join(root, split), { recursive: true })
      }
      // A class may have the name of a split.
      write("valid/1.png")
      write("invalid/1.png")
      assert.deepStrictEqual((yield* scan()).classes, ["invalid", "valid"])
    })
  )

  it.effect("says what a folder of another form has", () =>
    Effect.gen(function* () {
      const clear = () => {
        for (const name of fs.readdirSync(root)) fs.rmSync(path.join(root, name), { recursive: true })
      }
      for (const name of ["cat", "dog"]) write(`archive/train/${name}/1.png`)
      assert.strictEqual(
        yield* refusal(),
        `${root} has one folder only, archive, which has 1 folder (train): if these are what is meant, give ${path.join(root, "archive")}`
      )
      clear()
      write("1.png")
      write("2.png")
      assert.include(yield* refusal(), `${root} has 0 class folder(s), and 2 images that lie in none: `)
      clear()
      write("train/cat/1.png")
      write("Train/dog/1.png")
      assert.strictEqual(
        yield* refusal(),
        `${root} has both Train and train for its train images: leave one of them`
      )
      clear()
      for (const name of ["cat", "dog"])
        for (const split of ["train", "test"]) write(`${name}/${split}/1.png`)
      assert.include(
        yield* refusal(),
        "have folders test, train within them: splits come first, for instance train/cat"
      )
      clear()
      for (const name of ["cat", "dog"]) write(`val/${name}/1.png`)
      write("cat/1.png")
      assert.include(yield* refusal(), "has a folder val but no folder train")
      clear()
      for (const name of ["cat", "dog"]) write(`train/${name}/1.png`)
      write("test/1.png")
      assert.include(yield* refusal(), `${path.join(root, "test")} has no class folders`)
      clear()
      for (const name of ["cat", "dog"]) write(`${name}/1.bmp`, bmp)
      assert.strictEqual(
        yield* refusal(),
        `the class folder ${path.join(root, "cat")} has no images (left out 1 BMP image, for instance ${path.join(root, "cat/1.bmp")}: it is a BMP image, which cannot be decoded): add some or remove it`
      )
      clear()
      // Nobody can tell whether years or animals are meant.
      for (const year of ["2023", "2024"]) for (const name of ["cat", "dog"]) write(`${year}/${name}/1.png`)
      const { classes, told } = yield* scan()
      assert.deepStrictEqual(classes, ["2023", "2024"])
      assert.deepStrictEqual(told, [
        `every image of ${root} lies in a folder within its class folder, for instance ${path.join(root, "2023/cat/1.png")}, whose class is 2023`
      ])
    })
  )

  it.effect("names what cannot be read for what it is, and opens nothing but regular files", () =>
    Effect.gen(function* () {
      const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * i * 31) % 256)
      const raw = { raw: { width: 64, height: 64, channels: 3 } } as const
      const [jpeg, large] = yield* Effect.promise(() =>
        Promise.all([sharp(noise, raw).jpeg().toBuffer(), sharp(noise, raw).png().toBuffer()])
      )
      const bomb = Buffer.from(png)
      // The width and height of the header (IHDR), whose checksum is then wrong.
      bomb.writeUInt32BE(20_000, 16)
      bomb.writeUInt32BE(20_000, 20)
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="20000" height="20000"/>`
      const cases: Readonly<Record<string, readonly [contents: Uint8Array | string, reason: RegExp]>> = {
        "cut.jpg": [jpeg.subarray(0, jpeg.length / 2), /^the JPEG image is cut off \(.*\)$/],
        "cut.png": [large.subarray(0, large.length / 2), /^the PNG image is cut off \(.*\)$/],
        "damaged.png": [bomb, /^(the PNG image is damaged \(.*\)|it has more than .* pixels)$/],
        "empty.jpg": ["", /^it is empty$/],
        "html.jpg": [
          `<!-- 404 -->\n<!DOCTYPE html><svg xmlns="http://www.w3.org/2000/svg"/>`,
          /^it is an HTML page, not an image$/
        ],
        "heic.jpg": [heic, /^it is a HEIC image, which cannot be decoded$/],
        "bmp.png": [bmp, /^it is a BMP image, which cannot be decoded$/],
        "lfs.png": [pointer, /^it is a Git LFS pointer, in the place of a file that was not fetched$/],
        "text.png": ["soon", /^it is a text file, not an image$/],
        "pixels.svg": [svg, /^it has more than 268,402,689 pixels$/]
      }
      const found = Object.keys(cases).map((file) => ({ path: file, label: 0 }))
      for (const [file, [contents]] of Object.entries(cases)) write(file, contents)
      execFileSync("mkfifo", [path.join(root, "pipe.png")])
      link("zero.jpg", "/dev/zero")
      link("gone.jpg", "/nowhere")
      fs.writeFileSync(
        Buffer.concat([Buffer.from(`${root}/caf`), Buffer.from([0xe9]), Buffer.from(".png")]),
        png
      )
      fs.truncateSync(path.join(root, "text.png"), 4)
      write("large.tif", formats.tiff)
      fs.truncateSync(path.join(root, "large.tif"), 2 ** 33)
      const { images } = yield* imagesBelow(root)
      assert.strictEqual(images.length, found.length + 5)
      const { skipped } = yield* decodeImages(
        root,
        images.map((image) => ({ path: image, label: 0 })),
        { height: 8, width: 8, skipUnreadable: true, onDecoded: () => {} }
      )
      const reasons = new Map(skipped.map(({ path, reason }) => [path, reason]))
      for (const [file, [, reason]] of Object.entries(cases))
        assert.match(reasons.get(file) ?? "", reason, file)
      const device = "it is a pipe, a socket or a device, not a regular file"
      assert.strictEqual(reasons.get("pipe.png"), device)
      assert.strictEqual(reasons.get("zero.jpg"), device)
      assert.strictEqual(reasons.get("gone.jpg"), "there is no such file or folder")
      assert.strictEqual(
        reasons.get("caf\ufffd.png"),
        "its name is not UTF-8, so that it cannot be opened (rename it)"
      )
      assert.strictEqual(
        reasons.get("large.tif"),
        "it has 8,589,934,592 bytes, and an image at most 536,870,912"
      )
    })
  )

  it("tells formats by their first bytes", () => {
    const latin1 = (text: string) => Buffer.from(text, "latin1")
    const known: ReadonlyArray<readonly [start: Uint8Array, format: string]> = [
      [latin1("\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf"), "AVIF image"],
      [latin1("\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf"), "HEIC image"],
      [latin1("\0\0\0\x18ftypisom\0\0\0\0isommp42"), "video"],
      [latin1("\xff\x0a\0\0"), "JPEG XL image"],
      [latin1("P6\n# made by hand\n8 8\n255\n"), "PNM image"],
      [latin1("BM is what it begins with"), "text file"],
      [latin1("P3 is a street"), "text file"],
      [Buffer.from("\ufeff  <!DOCTYPE HTML>"), "HTML page"],
      [Buffer.from("naïve".repeat(300)), "text file"],
      [latin1("\0\x05\x16\x07"), "file of an unknown kind"],
      [new Uint8Array(), "empty file"]
    ]
    for (const [start, format] of known) assert.strictEqual(formatOf(start), format)
  })

  it.effect("says that a class differs from another in upper case or accents alone", () =>
    Effect.gen(function* () {
      for (const name of ["Cat", "caf\u00e9", "b"]) write(`train/${name}/0.png`)
      write("test/cat/0.png")
      assert.match(yield* refusal(), /"cat" of .* \("Cat" there differs from it in upper case/)
      fs.renameSync(path.join(root, "test/cat"), path.join(root, "test/cafe\u0301"))
      assert.match(yield* refusal(), /\("caf\u00e9" there differs from it .* accents are written\)/)
      fs.renameSync(path.join(root, "test/cafe\u0301"), path.join(root, "test/zebra"))
      assert.notMatch(yield* refusal(), /differs/)
    })
  )

  it("tells each kind in a line", () => {
    const left = (path: string, what: string) => ({ path, what, why: "so" })
    assert.deepStrictEqual(leftOutLines([]), [])
    assert.deepStrictEqual(
      leftOutLines([left("a", "BMP image"), left("b", "other file"), left("c", "BMP image")]),
      ["left out 2 BMP images, for instance a: so", "left out 1 other file, for instance b: so"]
    )
  })
})
