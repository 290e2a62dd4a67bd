import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { explain } from "../../src/Cli/Shared/Explain.ts"
import { secondLibrary } from "../../src/Device/Library/CApi.ts"
import { install, isComplete } from "../../src/Device/Setup/Install.ts"
import { libraryName, thisPlatform } from "../../src/Device/Setup/Platform.ts"
import { VERSION, type Wheel, wanted, wheelsFor } from "../../src/Device/Setup/Wheels.ts"
import { locateLibrary, setup } from "../../src/Device/Setup.ts"
import { heardParts } from "../support/Events.ts"
import { makeStubPip, makeWheel, type StubPip, wheelFile } from "../support/Wheels.ts"

const library = Buffer.from(Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * i) >> 3))
const framework = Buffer.from("framework")

const tensorflow = makeWheel(
  "tensorflow-cpu",
  {
    "tensorflow/libtensorflow_cc.so.2": library,
    "tensorflow/libtensorflow_framework.so.2": framework,
    "tensorflow/__init__.py": Buffer.from("import this")
  },
  library.length + framework.length
)
const ptxas = Buffer.from("ptxas")
const cuda = makeWheel("nvidia-cuda-nvcc-cu12", { "nvidia/cuda_nvcc/bin/ptxas": ptxas }, ptxas.length)

let root: string
let cache: string
let directory: string
let pip: StubPip
let environment: NodeJS.ProcessEnv

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "shakedrop-setup-"))
  cache = path.join(root, "cache", "shakedrop")
  directory = path.join(cache, `libtensorflow-${VERSION}-cpu`)
  pip = makeStubPip(path.join(root, "stub"))
  for (const { archive, name } of [tensorflow, cuda]) pip.offer(name, archive)
  environment = { ...process.env }
  process.env.PATH = `${pip.folder}${path.delimiter}${process.env.PATH}`
  process.env.XDG_CACHE_HOME = path.join(root, "cache")
  delete process.env.SHAKEDROP_LIBTENSORFLOW
})

afterEach(() => {
  process.env = environment
  fs.rmSync(root, { recursive: true, force: true })
})

type Progress = readonly [doing: string, done: number, total: number]

const bring = (wheels: ReadonlyArray<Wheel> = [tensorflow], seen: Array<Progress> = []) =>
  install(directory, wheels).pipe(
    heardParts("Setup", (done, total, doing) => seen.push([doing, done, total]))
  )

/** A failure as it is told at a terminal. */
const failure = <A, E>(effect: Effect.Effect<A, E>) => Effect.map(Effect.flip(effect), explain)

const filesBelow = (folder: string): ReadonlyArray<string> =>
  fs
    .readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => fs.statSync(path.join(folder, name)).isFile())
    .sort()

const whole = ["manifest.json", "tensorflow/libtensorflow_cc.so.2", "tensorflow/libtensorflow_framework.so.2"]

/** What is in the cache is the library, and nothing else. */
const assertOnlyTheLibrary = () => {
  assert.deepStrictEqual(fs.readdirSync(cache), [path.basename(directory)])
  assert.deepStrictEqual(filesBelow(directory), whole)
  assert.isTrue(fs.readFileSync(path.join(directory, whole[1])).equals(library))
}

describe("install", () => {
  it.live("takes the libraries out of the wheels, once", () =>
    Effect.gen(function* () {
      assert.isTrue(yield* bring([tensorflow, cuda]))
      const compiler = path.join(directory, "nvidia/cuda_nvcc/bin/ptxas")
      assert.isTrue(fs.readFileSync(compiler).equals(ptxas))
      assert.strictEqual(fs.statSync(compiler).mode & 0o111, 0o111)
      fs.rmSync(path.join(directory, "nvidia"), { recursive: true })

      assertOnlyTheLibrary()
      assert.isFalse(yield* isComplete(directory), "ptxas was taken away")
      assert.isTrue(yield* bring(), "it is repaired")
      assert.isFalse(yield* bring(), "nothing is left to do")
      assertOnlyTheLibrary()
      assert.deepStrictEqual(pip.asked(), ["tensorflow-cpu", "nvidia-cuda-nvcc-cu12", "tensorflow-cpu"])
    })
  )

  it.live("shows what it does in bytes, each time up to the whole", () =>
    Effect.gen(function* () {
      const seen: Array<Progress> = []
      yield* bring([tensorflow], seen)
      const what = [...new Set(seen.map(([doing]) => doing))]
      assert.deepStrictEqual(what, [
        "downloading tensorflow-cpu 1",
        "checking tensorflow-cpu 1",
        "unpacking tensorflow-cpu 1"
      ])
      for (const each of what) {
        const steps = seen.filter(([doing]) => doing === each)
        const done = steps.map(([, bytes]) => bytes)
        assert.deepStrictEqual(
          done,
          done.toSorted((a, b) => a - b)
        )
        assert.strictEqual(done.at(-1), steps[0][2])
      }
    })
  )

  it.live("replaces a library that is cut off", () =>
    Effect.gen(function* () {
      yield* bring()
      fs.truncateSync(path.join(directory, "tensorflow/libtensorflow_cc.so.2"), 1000)
      assert.isFalse(yield* isComplete(directory))
      assert.isTrue(yield* bring())
      assertOnlyTheLibrary()
    })
  )

  it.live("keeps wheels that are downloaded when a later one fails", () =>
    Effect.gen(function* () {
      pip.behave('[ "$name" = tensorflow-cpu ] || exit 1\ncp "$STUB/$name.whl" "$target"')
      yield* failure(bring([tensorflow, cuda]))
      assert.isFalse(fs.existsSync(directory))
      assert.deepStrictEqual(fs.readdirSync(cache), ["tensorflow-cpu-1-manylinux_2_27_x86_64.whl"])
      pip.behave()
      yield* bring([tensorflow, cuda])
      assert.deepStrictEqual(pip.asked(), [
        "tensorflow-cpu",
        "nvidia-cuda-nvcc-cu12",
        "nvidia-cuda-nvcc-cu12"
      ])
      assert.deepStrictEqual(fs.readdirSync(cache), [path.basename(directory)])
    })
  )

  it.live("downloads a kept wheel anew if it is not what it should be", () =>
    Effect.gen(function* () {
      fs.mkdirSync(cache, { recursive: true })
      fs.writeFileSync(path.join(cache, "tensorflow-cpu-1-manylinux_2_27_x86_64.whl"), "half")
      assert.isTrue(yield* bring())
      assertOnlyTheLibrary()
    })
  )

  it.live("refuses another wheel than the official one, whatever pip says", () =>
    Effect.gen(function* () {
      pip.offer("tensorflow-cpu", cuda.archive)
      const message = yield* failure(bring())
      assert.match(message, /^pip brought another tensorflow-cpu 1 than the official one: correct the mirror/)
      assert.deepStrictEqual(fs.readdirSync(cache), [])
    })
  )

  it.live("stops pip when it is interrupted, and leaves nothing behind", () =>
    Effect.gen(function* () {
      // exec, so that the process that is stopped is the one that waits.
      pip.behave(
        'echo $$ > "$STUB/pid"\nhead -c 100000 "$STUB/$name.whl" > "$TMPDIR/part"\nexec tail -f /dev/null'
      )
      const started = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(
        install(directory, [tensorflow]).pipe(
          heardParts("Setup", (done) => done > 10_000 && Deferred.doneUnsafe(started, Effect.void))
        )
      )
      yield* Deferred.await(started)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(fs.readdirSync(cache), [])
      const pid = Number(fs.readFileSync(path.join(pip.folder, "pid"), "utf8"))
      assert.throws(() => process.kill(pid, 0), /ESRCH/)
    })
  )

  it.live("can run twice at once", () =>
    Effect.gen(function* () {
      yield* Effect.all([bring(), bring(), bring()], { concurrency: "unbounded" })
      assertOnlyTheLibrary()
    })
  )

  it.live("clears away what killed ones have left, and nothing else", () =>
    Effect.gen(function* () {
      const dead = spawnSync(process.execPath, ["--version"]).pid
      const [killed, alive, elsewhere, forgotten] = [
        `.setup.${dead}.01234567.${os.hostname()}`,
        `.setup.${process.pid}.01234567.${os.hostname()}`,
        ".setup.1.01234567.another-host",
        ".setup.2.01234567.another-host"
      ]
      for (const name of [killed, alive, elsewhere, forgotten]) {
        fs.mkdirSync(path.join(cache, name, "library"), { recursive: true })
      }
      fs.utimesSync(path.join(cache, forgotten), 0, 0)
      yield* bring()
      assert.sameMembers(fs.readdirSync(cache), [alive, elsewhere, path.basename(directory)])
    })
  )

  it.live("says when there is no room, before it downloads", () =>
    Effect.gen(function* () {
      const message = yield* failure(bring([{ ...tensorflow, unpacked: 1e16 }]))
      assert.match(
        message,
        /^libtensorflow needs 10000000\.0 GB in \S+, but \S+ GB are free: free some space/
      )
      assert.deepStrictEqual(pip.asked(), [])
    })
  )

  it.live("says where it cannot write, and what to do", () =>
    Effect.gen(function* () {
      fs.writeFileSync(path.join(root, "cache"), "a file")
      assert.strictEqual(
        yield* failure(bring()),
        `cannot create ${cache}: a part of the path is not a folder: set XDG_CACHE_HOME to a folder that you can write, and run \`npx shakedrop setup\` again`
      )
    })
  )
})

describe("pip", () => {
  const cases: ReadonlyArray<readonly [says: string, told: RegExp]> = [
    ["/usr/bin/python3: No module named pip", /python3 has no pip: install it/],
    ["OSError: [Errno 28] No space left on device", /the disk is full: free some space/],
    ["ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", /not the official one/],
    ["SSLError(SSLCertVerificationError(1, 'CERTIFICATE_VERIFY_FAILED'))", /certificate cannot be verified/],
    [
      "WARNING: Retrying after NewConnectionError\nERROR: No matching distribution found for x",
      /cannot be reached: check the network/
    ],
    [
      "ERROR: No matching distribution found for tensorflow-cpu==1",
      /pip finds no such wheel: if `python3 -m pip/
    ],
    ["usage: pip\nERROR: something new", /: ERROR: something new: run `npx shakedrop setup` again/]
  ]
  for (const [says, told] of cases) {
    it.live(`that says "${says.split("\n").at(-1)}" is explained in one line`, () =>
      Effect.gen(function* () {
        pip.behave(`cat >&2 <<'END'\n${says}\nEND\nexit 1`)
        const message = yield* failure(bring())
        assert.match(message, told)
        assert.match(message, /^cannot download tensorflow-cpu 1: [^\n]*$/)
        assert.deepStrictEqual(fs.readdirSync(cache), [])
      })
    )
  }

  it.live("is not there when there is no python3", () =>
    Effect.gen(function* () {
      process.env.PATH = cache
      assert.match(yield* failure(bring()), /python3 was not found: install Python 3 with pip/)
    })
  )

  const real = spawnSync("python3", ["-m", "pip", "--version"]).status === 0

  it.live.skipIf(!real)("takes a wheel from where the user's configuration says, and checks its hash", () =>
    Effect.gen(function* () {
      process.env.PATH = environment.PATH
      const wheels = path.join(root, "wheels")
      fs.mkdirSync(wheels)
      fs.writeFileSync(path.join(wheels, wheelFile(tensorflow)), tensorflow.archive)
      process.env.PIP_NO_INDEX = "1"
      process.env.PIP_FIND_LINKS = wheels
      // A pin of the user's own, for other packages of his, is no reason to fail.
      const pins = path.join(root, "pins.txt")
      fs.writeFileSync(pins, "tensorflow-cpu==0.1\n")
      process.env.PIP_CONSTRAINT = pins
      assert.match(
        yield* failure(bring([{ ...tensorflow, sha256: "0".repeat(64) }])),
        /the package index sent a file that is not the official one/
      )
      assert.isTrue(yield* bring())
      assertOnlyTheLibrary()
    })
  )
})

describe("locateLibrary", () => {
  it.effect("says how to set up what is not there", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* failure(locateLibrary),
        `libtensorflow is not set up (nothing in ${directory}): run \`npx shakedrop setup\`, or \`npx shakedrop setup --gpu\` for an NVIDIA GPU`
      )
    })
  )

  it.live("gives what was set up, with a GPU's first, unless it is damaged", () =>
    Effect.gen(function* () {
      yield* bring()
      const file = path.join(directory, "tensorflow/libtensorflow_cc.so.2")
      assert.deepStrictEqual(yield* locateLibrary, { file, preload: [] })
      const gpu = path.join(cache, `libtensorflow-${VERSION}-gpu`)
      fs.cpSync(directory, gpu, { recursive: true })
      assert.strictEqual((yield* locateLibrary).file, path.join(gpu, "tensorflow/libtensorflow_cc.so.2"))
      fs.rmSync(path.join(gpu, "tensorflow/libtensorflow_framework.so.2"))
      assert.match(yield* failure(locateLibrary), /-gpu is damaged: run `npx shakedrop setup` to repair it$/)
    })
  )

  it.effect("takes SHAKEDROP_LIBTENSORFLOW for a file or its folder, and setup leaves it alone", () =>
    Effect.gen(function* () {
      const file = path.join(root, "libtensorflow_cc.so.2")
      fs.writeFileSync(file, "")
      for (const given of [root, file]) {
        process.env.SHAKEDROP_LIBTENSORFLOW = given
        assert.strictEqual((yield* locateLibrary).file, file)
      }
      assert.deepStrictEqual(yield* setup({ gpu: true }), { file, preload: [], fresh: false })
      process.env.SHAKEDROP_LIBTENSORFLOW = path.join(root, "nowhere")
      assert.match(
        yield* failure(setup({ gpu: false })),
        /^SHAKEDROP_LIBTENSORFLOW is ".*nowhere", but there is no /
      )
      assert.deepStrictEqual(pip.asked(), [])
    })
  )
})

describe("wheelsFor", () => {
  const names = (os: string, arch: string, glibc: string | undefined, gpu: boolean) =>
    Effect.map(wheelsFor({ os, arch, glibc }, gpu), (wheels) => wheels.map(({ name }) => name))

  it.effect("knows a build for each platform", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* names("linux", "x64", "2.36", false), ["tensorflow-cpu"])
      assert.deepStrictEqual(yield* names("linux", "arm64", "2.27", false), ["tensorflow"])
      const gpu = yield* names("linux", "x64", "2.36", true)
      assert.strictEqual(gpu[0], "tensorflow")
      assert.isTrue(gpu.slice(1).every((name) => /^nvidia-\w+(-\w+)?-cu12$/.test(name)))
      assert.isTrue((yield* wheelsFor(thisPlatform(), false)).length === 1)
      const [mac] = yield* wheelsFor({ os: "darwin", arch: "arm64" }, false)
      assert.strictEqual(wheelFile(mac), "tensorflow-2.21.0-cp312-cp312-macosx_12_0_arm64.whl")
      const libraries = [libraryName("darwin"), path.basename(secondLibrary(libraryName("darwin")))]
      assert.deepStrictEqual(libraries, ["libtensorflow_cc.2.dylib", "libtensorflow_framework.2.dylib"])
      for (const name of libraries) assert.isTrue(wanted(`tensorflow/${name}`))
      assert.isFalse(wanted("tensorflow/libtensorflow_cc.2.21.0.dylib"))
    })
  )

  it.effect("says what is supported where there is none", () =>
    Effect.gen(function* () {
      const message = yield* failure(names("win32", "x64", undefined, false))
      assert.match(
        message,
        /^there is no ready libtensorflow for win32 x64, only for Linux with glibc 2\.27.*Apple silicon.*WSL 2/
      )
      assert.match(yield* failure(names("darwin", "x64", undefined, false)), /Macs with Intel/)
      assert.match(yield* failure(names("darwin", "arm64", undefined, true)), /no ready GPU build/)
      assert.match(yield* failure(names("linux", "x64", undefined, false)), /musl/)
      assert.match(yield* failure(names("linux", "x64", undefined, false)), /for linux x64 without glibc,/)
      assert.match(yield* failure(names("linux", "x64", "2.17", false)), /for linux x64 with glibc 2\.17,/)
      assert.match(
        yield* failure(names("linux", "arm64", "2.36", true)),
        /no ready GPU build of libtensorflow/
      )
    })
  )
})
