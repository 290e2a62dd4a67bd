import { execFileSync } from "node:child_process"
import * as fs from "node:fs/promises"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { gunzipSync, gzipSync } from "node:zlib"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as tar from "tar-stream"
import { explain } from "../../src/Cli/Shared/Explain.ts"
import { unpack } from "../../src/Data/Cifar/Archive.ts"
import { cifar10Formats } from "../../src/Data/Cifar/Format.ts"
import { numpy } from "../../src/Data/Cifar/Numpy.ts"
import { type CifarName, loadCifar } from "../../src/Data/Cifar.ts"
import { fingerprint } from "../../src/Data/Statistics.ts"
import { unpickle } from "../../src/Pickle.ts"
import { heardTexts } from "../support/Events.ts"

const fixtures = fileURLToPath(new URL("fixtures", import.meta.url))

const CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]

let directory: string

beforeEach(async () => {
  directory = await fs.mkdtemp(path.join(os.tmpdir(), "shakedrop-cifar-"))
})

afterEach(() => fs.rm(directory, { recursive: true, force: true }))

/** The rule of fixtures/cifar_python.py. */
const value = (n: number, channel: number, y: number, x: number): number =>
  (40 * n + 70 * channel + 2 * y + x) % 256

const planes = (n: number): Array<number> =>
  Array.from({ length: 3072 }, (_, i) => value(n, i >> 10, (i >> 5) & 31, i & 31))

/** Images as the loader must give them: three channels to a pixel. */
const pixels = (...numbers: ReadonlyArray<number>): Uint8Array =>
  Uint8Array.from(
    numbers.flatMap((n) =>
      Array.from({ length: 3072 }, (_, i) => value(n, i % 3, Math.floor(i / 96), Math.floor(i / 3) % 32))
    )
  )

const range = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i)

type Files = Record<string, Uint8Array | string>

/** The files of the binary version with the images and labels of the fixtures. */
const binary10 = (): Files => {
  const batch = (first: number, count: number) =>
    Uint8Array.from(range(first, count).flatMap((n) => [n % 10, ...planes(n)]))
  const files: Files = {
    "batches.meta.txt": `${CLASSES.join("\n")}\n\n`,
    "test_batch.bin": batch(100, 3)
  }
  for (const i of range(0, 5)) files[`data_batch_${i + 1}.bin`] = batch(2 * i, 2)
  return files
}

const binary100 = (): Files => {
  const batch = (first: number, count: number) =>
    Uint8Array.from(range(first, count).flatMap((n) => [(119 - n) % 20, (199 - n) % 100, ...planes(n)]))
  const names = (kind: string, count: number) =>
    range(0, count)
      .map((i) => `${kind}${i}\n`)
      .join("")
  return {
    "train.bin": batch(0, 5),
    "test.bin": batch(100, 2),
    "fine_label_names.txt": names("fine", 100),
    "coarse_label_names.txt": names("coarse", 20)
  }
}

const unpacked = (folder: string, files: Files) =>
  Effect.promise(async () => {
    await fs.mkdir(path.join(directory, folder), { recursive: true })
    for (const [name, contents] of Object.entries(files))
      await fs.writeFile(path.join(directory, folder, name), contents)
  })

const packed = (archive: string, folder: string, files: Files) =>
  Effect.promise(async () => {
    const pack = tar.pack()
    pack.entry({ name: folder, type: "directory" })
    pack.entry({ name: `${folder}/readme.html` }, "<p>not read</p>")
    for (const [name, contents] of Object.entries(files))
      pack.entry({ name: `${folder}/${name}` }, Buffer.from(contents))
    pack.finalize()
    const chunks: Array<Buffer> = []
    for await (const chunk of pack) chunks.push(chunk as Buffer)
    await fs.writeFile(path.join(directory, archive), gzipSync(Buffer.concat(chunks)))
  })

const fixture = (archive: string) =>
  Effect.promise(() => fs.copyFile(path.join(fixtures, archive), path.join(directory, archive)))

const unpackFixture = (archive: string) =>
  Effect.sync(() => execFileSync("tar", ["-xzf", path.join(fixtures, archive), "-C", directory]))

const checkCifar10 = Effect.fnUntraced(function* (folder = ".") {
  const set = yield* loadCifar("cifar10", path.join(directory, folder))
  assert.strictEqual(set.name, "CIFAR-10 subset")
  assert.deepStrictEqual(set.classes, CLASSES)
  assert.deepStrictEqual(Array.from(set.train.labels), range(0, 10))
  assert.deepStrictEqual(Array.from(set.test.labels), [0, 1, 2])
  const { count, height, width } = set.train.images
  assert.deepStrictEqual([count, height, width], [10, 32, 32])
  assert.deepStrictEqual(set.train.images.pixels, pixels(...range(0, 10)))
  assert.deepStrictEqual(set.test.images.pixels, pixels(100, 101, 102))
  assert.instanceOf(set.train.images.pixels.buffer, SharedArrayBuffer)
  return fingerprint(set)
})

const checkCifar100 = Effect.fnUntraced(function* () {
  const load = (name: CifarName) => loadCifar(name, directory)
  const fine = yield* load("cifar100-fine")
  const coarse = yield* load("cifar100-coarse")
  assert.deepStrictEqual([fine.name, coarse.name], ["CIFAR-100 subset", "CIFAR-100 coarse subset"])
  assert.deepStrictEqual([fine.classes.length, fine.classes[7]], [100, "fine7"])
  assert.deepStrictEqual([coarse.classes.length, coarse.classes[7]], [20, "coarse7"])
  assert.deepStrictEqual(Array.from(fine.train.labels), [99, 98, 97, 96, 95])
  assert.deepStrictEqual(Array.from(fine.test.labels), [99, 98])
  assert.deepStrictEqual(Array.from(coarse.train.labels), [19, 18, 17, 16, 15])
  assert.deepStrictEqual(Array.from(coarse.test.labels), [19, 18])
  for (const set of [fine, coarse]) {
    assert.deepStrictEqual(set.train.images.pixels, pixels(...range(0, 5)))
    assert.deepStrictEqual(set.test.images.pixels, pixels(100, 101))
  }
})

/** The message of a load that fails, checked to be one line. */
const failure = Effect.fnUntraced(function* (name: CifarName = "cifar10", folder = ".") {
  const error = yield* Effect.flip(loadCifar(name, path.join(directory, folder)))
  assert.notInclude(error.message, "\n")
  return error
})

describe("loadCifar", () => {
  it.effect("reads the binary version unpacked, packed, and from the folder itself: the same data", () =>
    Effect.gen(function* () {
      yield* unpacked("a/cifar-10-batches-bin", binary10())
      yield* Effect.promise(() => fs.mkdir(path.join(directory, "b")))
      yield* packed("b/cifar-10-binary.tar.gz", "cifar-10-batches-bin", binary10())
      const prints = [
        yield* checkCifar10("a"),
        yield* checkCifar10("a/cifar-10-batches-bin"),
        yield* checkCifar10("b")
      ]
      assert.strictEqual(new Set(prints).size, 1)
    })
  )

  it.effect("reads the python version as Python 2 and numpy write it, packed", () =>
    Effect.gen(function* () {
      yield* fixture("cifar-10-python.tar.gz")
      yield* checkCifar10()
    })
  )

  it.effect("reads the python version unpacked", () =>
    Effect.gen(function* () {
      yield* unpackFixture("cifar-10-python.tar.gz")
      yield* checkCifar10()
      yield* checkCifar10("cifar-10-batches-py")
    })
  )

  it.effect("reads the python version written anew by Python 3 and NumPy 1 and 2, in protocols 2 to 5", () =>
    Effect.gen(function* () {
      yield* unpackFixture("cifar-10-python3.tar.gz")
      const folders = ["protocol2", "protocol3", "protocol4", "protocol5", "numpy1"]
      const prints = yield* Effect.forEach(folders, checkCifar10)
      assert.strictEqual(new Set(prints).size, 1)
    })
  )

  it.effect(
    "finds archives by the names and in the folders that Keras, torchvision and browsers give them",
    () =>
      Effect.gen(function* () {
        const python = yield* Effect.promise(() => fs.readFile(path.join(fixtures, "cifar-10-python.tar.gz")))
        yield* unpackFixture("cifar-10-python.tar.gz")
        const batches = path.join(directory, "cifar-10-batches-py")
        const places: ReadonlyArray<readonly [folder: string, archive?: string, contents?: Uint8Array]> = [
          ["plain", "cifar-10-python.tar", gunzipSync(python)],
          // Browsers unpack what is labelled as compressed content, and keep its name.
          ["unpacked", "cifar-10-python.tar.gz", gunzipSync(python)],
          ["zipped", "cifar-10-python.tar", python],
          ["twice", "cifar-10-python.tar (1).gz", python],
          ["again", "cifar-10-python (1).tar.gz", python],
          ["short", "cifar-10-python.tgz", python],
          ["keras2", "cifar-10-batches-py.tar.gz", python],
          ["keras3/datasets", "cifar-10-batches-py-target_archive", python],
          ["keras4/cifar-10-batches-py-target"],
          ["torchvision/root"],
          ["deeper/and/deeper"]
        ]
        for (const [folder, archive, contents] of places) {
          const place = path.join(directory, folder)
          yield* Effect.promise(async () => {
            await fs.mkdir(place, { recursive: true })
            if (archive !== undefined && contents !== undefined) {
              await fs.writeFile(path.join(place, archive), contents)
              await fs.writeFile(path.join(place, `${archive}.part`), "half")
            } else await fs.symlink(batches, path.join(place, "cifar-10-batches-py"))
          })
          yield* checkCifar10(folder.split("/")[0])
        }
        assert.include((yield* failure("cifar10", "nowhere")).message, "no such file")
      })
  )

  it.effect("does not choose between two of them in folders of the folder that is named", () =>
    Effect.gen(function* () {
      for (const folder of ["a", "b"]) yield* unpacked(`${folder}/cifar-10-batches-bin`, binary10())
      const error = yield* failure()
      assert.include(error.message, `${directory} holds the data set more than once: `)
      assert.include(error.message, path.join(directory, "b", "cifar-10-batches-bin"))
      assert.deepInclude(error, { reason: "Ambiguous" })
      // Something of that name is not yet the data set.
      yield* Effect.promise(async () => {
        await fs.mkdir(path.join(directory, "bin"))
        await fs.writeFile(path.join(directory, "bin", "test"), "#!/bin/sh")
      })
      assert.include((yield* failure("cifar100-fine")).message, "does not hold CIFAR-100")
    })
  )

  it.effect("reads of each file no more than it can have, and nothing but regular files", () =>
    Effect.gen(function* () {
      const folder = "cifar-10-batches-bin"
      const place = (name: string) => path.join(directory, folder, name)
      yield* unpacked(folder, binary10())
      yield* Effect.promise(() => fs.truncate(place("data_batch_2.bin"), 10_000 * 3073 + 1))
      assert.include((yield* failure()).message, "30730001 bytes, more than the 30730000")
      yield* Effect.promise(() => fs.rm(place("data_batch_2.bin")))
      execFileSync("mkfifo", [place("data_batch_2.bin")])
      assert.include((yield* failure()).message, "data_batch_2.bin: it is a pipe")
      yield* Effect.promise(async () => {
        await fs.rm(path.join(directory, folder), { recursive: true })
        await fs.symlink("/dev/zero", path.join(directory, "cifar-10-binary.tar.gz"))
      })
      assert.include((yield* failure()).message, "cifar-10-binary.tar.gz: it is a device")
      yield* Effect.promise(() => fs.rm(path.join(directory, "cifar-10-binary.tar.gz")))
      const archive = path.join(directory, "cifar-10-binary.tar.gz")
      const refusal = (files: Files, limits: ReadonlyMap<string, number>) =>
        packed("cifar-10-binary.tar.gz", "x", files).pipe(
          Effect.andThen(Effect.flip(unpack(archive, limits))),
          Effect.map(({ message }) => message)
        )
      const large = { wanted: Buffer.alloc(100_001) }
      assert.strictEqual(
        yield* refusal(large, new Map([["wanted", 100_000]])),
        `cannot unpack ${archive}: its wanted has 100001 bytes, more than the 100000 that it can have`
      )
      // Files that nobody asked for are no way around it.
      assert.strictEqual(
        yield* refusal({ zeros: Buffer.alloc(300_000), wanted: "x" }, new Map([["wanted", 100_000]])),
        `cannot unpack ${archive}: it unpacks to more than the 200000 bytes that it can have`
      )
    })
  )

  it.effect("takes the newer of two copies in an archive, and refuses two files of one name", () =>
    Effect.gen(function* () {
      const tarOf = (...names: ReadonlyArray<string>) =>
        Effect.promise(async () => {
          const pack = tar.pack()
          for (const [name, contents] of Object.entries(binary10())) {
            pack.entry({ name: `x/${name}` }, Buffer.from(contents))
          }
          for (const name of names) pack.entry({ name }, Buffer.from([3, ...planes(7)]))
          pack.finalize()
          const chunks: Array<Buffer> = []
          for await (const chunk of pack) chunks.push(chunk as Buffer)
          await fs.writeFile(path.join(directory, "cifar-10-binary.tar"), Buffer.concat(chunks))
        })
      yield* tarOf("x/test_batch.bin")
      const { test } = yield* loadCifar("cifar10", directory)
      assert.deepStrictEqual([...test.labels, ...test.images.pixels], [3, ...pixels(7)])
      yield* tarOf("y/test_batch.bin")
      assert.include((yield* failure()).message, "it has two files named test_batch.bin")
    })
  )

  it.effect("reads CIFAR-100 with fine and coarse labels from each form", () =>
    Effect.gen(function* () {
      yield* packed("cifar-100-binary.tar.gz", "cifar-100-binary", binary100())
      yield* checkCifar100()
      yield* Effect.promise(() => fs.rm(path.join(directory, "cifar-100-binary.tar.gz")))
      yield* fixture("cifar-100-python.tar.gz")
      yield* checkCifar100()
      yield* Effect.promise(() => fs.rm(path.join(directory, "cifar-100-python.tar.gz")))
      yield* unpackFixture("cifar-100-python.tar.gz")
      yield* checkCifar100()
      yield* unpacked(".", binary100())
      yield* checkCifar100()
    })
  )

  it.effect("warns that a part of the images is a subset", () =>
    Effect.gen(function* () {
      yield* fixture("cifar-10-python.tar.gz")
      const lines: Array<string> = []
      yield* loadCifar("cifar10", directory).pipe(heardTexts((text) => lines.push(text)))
      assert.strictEqual(lines.length, 1)
      assert.include(lines[0], "holds 10 training and 3 test images, but CIFAR-10 has 50000 and 10000")
    })
  )

  it.effect("says what is missing and how to fetch it", () =>
    Effect.gen(function* () {
      const nowhere = yield* failure("cifar10", "nowhere")
      assert.strictEqual(nowhere._tag, "StorageError")
      // An image folder has folders with such names; they are none of the python version's files.
      yield* Effect.promise(() => fs.mkdir(path.join(directory, "train")))
      yield* unpacked("cifar-10-batches-bin", {})
      const error = yield* failure("cifar100-fine")
      assert.deepInclude(error, { reason: "NotThere", dataset: "cifar100", path: path.join(directory, ".") })
      assert.include(error.message, `${directory} does not hold CIFAR-100: expected cifar-100-binary.tar.gz`)
      assert.include(
        explain(error),
        `: fetch it with \`shakedrop data download cifar100 --data-dir ${directory}\``
      )
    })
  )

  it.effect("names a file that is missing, unpacked or packed", () =>
    Effect.gen(function* () {
      const { "data_batch_3.bin": _, ...files } = binary10()
      yield* packed("cifar-10-binary.tar.gz", "cifar-10-batches-bin", files)
      const { message } = yield* failure()
      assert.include(
        message,
        `data_batch_3.bin is missing in ${path.join(directory, "cifar-10-binary.tar.gz")}`
      )
      yield* unpacked("cifar-10-batches-bin", files)
      const place = path.join(directory, "cifar-10-batches-bin")
      assert.include((yield* failure()).message, `data_batch_3.bin is missing in ${place}`)
    })
  )

  it.effect("names a record that is cut off, a wrong label, and wrong class names", () =>
    Effect.gen(function* () {
      const good = binary10()
      const batch = Buffer.from(good["data_batch_2.bin"])
      const wrong = Buffer.from(batch)
      wrong[3073] = 10
      const cases: ReadonlyArray<readonly [file: string, contents: Uint8Array | string, part: string]> = [
        ["data_batch_2.bin", batch.subarray(0, 6000), "it is cut off: its 6000 bytes are not a whole number"],
        ["data_batch_2.bin", "", "it holds no images"],
        ["data_batch_2.bin", wrong, "record 1 (counted from 0) has the label 10, but labels are 0 to 9"],
        ["batches.meta.txt", "cat\ndog\n", "it names 2 classes instead of 10"]
      ]
      for (const [file, contents, part] of cases) {
        yield* unpacked("cifar-10-batches-bin", { ...good, [file]: contents })
        const { message, _tag } = yield* failure()
        assert.strictEqual(_tag, "DataError")
        const place = path.join(directory, "cifar-10-batches-bin")
        assert.include(message, `cannot use ${file} of ${place}: ${part}`)
      }
      const train = Buffer.from(binary100()["train.bin"])
      train[0] = 20
      yield* unpacked(".", { ...binary100(), "train.bin": train })
      assert.strictEqual((yield* loadCifar("cifar100-fine", directory)).train.labels[0], 99)
      assert.include((yield* failure("cifar100-coarse")).message, "has the label 20, but labels are 0 to 19")
    })
  )

  it.effect("says which archive cannot be unpacked", () =>
    Effect.gen(function* () {
      const file = path.join(directory, "cifar-10-python.tar.gz")
      const whole = yield* Effect.promise(() => fs.readFile(path.join(fixtures, "cifar-10-python.tar.gz")))
      const flipped = Buffer.from(whole)
      flipped[whole.length - 6] ^= 1
      const shortTar = gzipSync(gunzipSync(whole).subarray(0, 9000))
      for (const contents of [whole.subarray(0, 1500), flipped, shortTar, Buffer.from("<html>404</html>")]) {
        yield* Effect.promise(() => fs.writeFile(file, contents))
        const error = yield* failure()
        assert.deepInclude(error, { _tag: "DataError", reason: "Damaged" })
        assert.match(error.message, /^cannot unpack .*cifar-10-python\.tar\.gz: it is /)
        assert.match(explain(error), /: unpack or download the archive again$/)
      }
    })
  )

  it.effect("refuses a pickle that is cut off, damaged, or other than published", () =>
    Effect.gen(function* () {
      yield* unpackFixture("cifar-10-python.tar.gz")
      const folder = "cifar-10-batches-py"
      const whole = yield* Effect.promise(() => fs.readFile(path.join(directory, folder, "data_batch_1")))
      const latin1 = (text: string) => Buffer.from(text, "latin1")
      const replaced = (from: string, to: string) => latin1(whole.toString("latin1").replace(from, to))
      const cases: ReadonlyArray<readonly [contents: Uint8Array | string, part: string]> = [
        [whole.subarray(0, 4000), "the pickle is cut off"],
        [replaced("U\x06labels", "U\x06lables"), 'it has no entry "labels"'],
        [replaced("U\x02u1", "U\x02i2"), 'its entry "data" is not an array of 2×3072 bytes'],
        [replaced("K\x01K\x02M\x00\x0c", "K\x01K\x03M\x00\x08"), 'its entry "data" is not an array'],
        [replaced("cnumpy\nndarray", "cnumpy\nndarraz"), 'refers to "numpy.ndarraz", which is refused'],
        [latin1("cos\nsystem\n(U\x04truetR."), 'the pickle refers to "os.system", which is refused'],
        [latin1("\x80\x02]q\x01."), 'it has no entry "labels"']
      ]
      for (const [contents, part] of cases) {
        yield* unpacked(folder, { data_batch_1: contents })
        const { message } = yield* failure()
        assert.include(message, "cannot use data_batch_1 of ")
        assert.include(message, part)
      }
    })
  )
})

describe("unpickle", () => {
  it("ends with a clear error wherever a pickle is cut, and whichever byte is wrong", async () => {
    const archive = gunzipSync(await fs.readFile(path.join(fixtures, "cifar-100-python.tar.gz")))
    const at = archive.indexOf("\x80\x02}", 0, "latin1")
    const meta = archive.subarray(at, archive.indexOf("u.", at, "latin1") + 2)
    assert.instanceOf(unpickle(meta, numpy).value, Map)
    const attempt = (bytes: Uint8Array): string => {
      try {
        unpickle(bytes, numpy)
        return "the pickle is whole"
      } catch (error) {
        return (error as Error).message
      }
    }
    for (let length = 0; length < meta.length; length++)
      assert.strictEqual(attempt(meta.subarray(0, length)), "the pickle is cut off")
    for (let i = 0; i < meta.length; i++)
      for (const flip of [1, 8, 0x80]) {
        const wrong = Uint8Array.from(meta)
        wrong[i] ^= flip
        assert.match(attempt(wrong), /^the pickle /)
      }
  })

  it("does no more than a data set of its length needs: lists in lists, copies of copies, operations without end", () => {
    const latin1 = (text: string) => Buffer.from(text, "latin1")
    const refusal = (pickle: string): string => {
      try {
        cifar10Formats[1].readRecords(latin1(pickle))
      } catch (error) {
        return (error as Error).message
      }
      return assert.fail("it was read")
    }
    // Each list holds the one before ten times over: as text they would be ten to the twelfth numbers.
    const levels = Array.from(
      { length: 12 },
      (_, i) => `](${`h${String.fromCharCode(i)}`.repeat(10)}eq${String.fromCharCode(i + 1)}`
    )
    const laughs = `\x80\x02](${"K\x07".repeat(10)}eq\0${levels.join("")}}(U\x06labels](h\x0ceu.`
    assert.match(refusal(laughs), /its entry "labels" is not a list of integers/)
    assert.match(refusal(`\x80\x02${"](".repeat(20_000)}.`), /more operations than a data set of its kind/)
    const half = "a".repeat(200)
    const copy = "h\x00h\x01h\x02\x86R"
    const copies = `\x80\x02c_codecs\nencode\nq\0X${String.fromCharCode(200)}\0\0\0${half}q\x01X\x06\0\0\0latin1q\x02${copy.repeat(99)}.`
    assert.match(refusal(copies), /the pickle makes more bytes than it has/)
    assert.match(refusal("\x80\x02X\xff\xff\xff\x7fabc."), /the pickle is cut off/)
    assert.match(refusal(`\x80\x04\x8e${"\xff".repeat(8)}abc.`), /the pickle is cut off/)
    assert.match(refusal(`\x80\x02}U\xff${"k".repeat(255)}q\0`.concat("K\x01s.")), /it has no entry "labels"/)
  })
})
