import { createHash } from "node:crypto"
import {
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Checkpoint, Checkpoints } from "../src/Checkpoint.ts"
import { float32 } from "../src/Tensor/HostTensor.ts"

const kernel = float32(
  [1, 2, 3, 4],
  Float32Array.from({ length: 24 }, (_, i) => i)
)

const at = (step: number): Checkpoint => ({
  step,
  tensors: { "conv1.weight": kernel, "fc.bias": float32([1], Float32Array.of(step)) },
  counters: { epoch: step / 10, best: null }
})

/** Checkpoints of which always as many are kept. */
interface Keeping extends Omit<Checkpoints["Service"], "save"> {
  readonly save: (checkpoint: Checkpoint) => ReturnType<Checkpoints["Service"]["save"]>
}

/** Runs with checkpoints in a folder of the test's own. */
const inFolder = <A, E>(keep: number, f: (checkpoints: Keeping, folder: string) => Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const parent = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(path.join(tmpdir(), "shakedrop-checkpoint-"))),
      (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
    )
    const folder = path.join(parent, "checkpoints")
    return yield* Effect.flatMap(Checkpoints, (checkpoints) =>
      f({ ...checkpoints, save: (checkpoint) => checkpoints.save(checkpoint, { keep }) }, folder)
    ).pipe(Effect.provide(Checkpoints.layer(folder)))
  }).pipe(Effect.scoped)

const latestStep = (checkpoints: Keeping) =>
  Effect.map(checkpoints.find("latest"), ({ checkpoint, skipped }) => ({
    step: Option.getOrUndefined(Option.map(checkpoint, ({ step }) => step)),
    skipped
  }))

describe("checkpoints", () => {
  it.effect("there are none at first", () =>
    inFolder(
      2,
      Effect.fnUntraced(function* (checkpoints) {
        assert.deepStrictEqual(yield* checkpoints.find("latest"), { checkpoint: Option.none(), skipped: [] })
        assert.deepStrictEqual(yield* checkpoints.find("best"), { checkpoint: Option.none(), skipped: [] })
      })
    )
  )

  it.effect("with a NaN or an infinity are damaged, and passed over for the one before", () =>
    inFolder(
      4,
      Effect.fnUntraced(function* (checkpoints) {
        yield* checkpoints.save(at(10))
        for (const [step, value] of [
          [20, Number.NaN],
          [30, Number.NEGATIVE_INFINITY]
        ] as const) {
          const tensors = { ...at(step).tensors, "fc.bias": float32([1], Float32Array.of(value)) }
          yield* checkpoints.save({ ...at(step), tensors })
        }
        const { skipped, step } = yield* latestStep(checkpoints)
        assert.strictEqual(step, 10)
        assert.lengthOf(skipped, 2)
        for (const line of skipped) assert.match(line, /is damaged: it has a NaN or an infinity in fc\.bias/)
      })
    )
  )

  it.effect("the newest and the best come back as they were", () =>
    inFolder(
      2,
      Effect.fnUntraced(function* (checkpoints) {
        yield* checkpoints.saveBest(at(10))
        yield* checkpoints.save({ ...at(10), best: 10 })
        yield* checkpoints.save({ ...at(20), best: 10 })
        const { checkpoint } = yield* checkpoints.find("latest")
        assert.deepStrictEqual(checkpoint, Option.some({ ...at(20), best: 10 }))
        assert.deepStrictEqual((yield* checkpoints.find("best")).checkpoint, Option.some(at(10)))
      })
    )
  )

  it.effect("only the newest few are kept, and one best", () =>
    inFolder(
      2,
      Effect.fnUntraced(function* (checkpoints, folder) {
        for (const step of [10, 20, 30]) {
          yield* checkpoints.saveBest(at(step))
          yield* checkpoints.save({ ...at(step), best: step })
        }
        assert.sameMembers(readdirSync(folder), [
          "step-0000020.json",
          "step-0000020.safetensors",
          "step-0000030.json",
          "step-0000030.safetensors",
          "best-0000030.json",
          "best-0000030.safetensors"
        ])
      })
    )
  )

  it.effect("all snapshots are kept, found by their number and identified without being read", () =>
    inFolder(
      1,
      Effect.fnUntraced(function* (checkpoints, folder) {
        for (const step of [10, 20, 30]) yield* checkpoints.saveSnapshot(at(step))
        yield* checkpoints.save(at(40))
        assert.deepStrictEqual((yield* checkpoints.find(2)).checkpoint, Option.some(at(20)))
        assert.isTrue(Option.isNone((yield* checkpoints.find(4)).checkpoint))
        assert.isTrue(Option.isNone((yield* checkpoints.identify("best")).identity))
        truncateSync(path.join(folder, "snapshot-0000030.safetensors"), 100)
        const [second, third] = [
          (yield* checkpoints.identify(2)).identity,
          (yield* checkpoints.identify(3)).identity
        ]
        const bytes = readFileSync(path.join(folder, "snapshot-0000020.safetensors"))
        const sha256 = createHash("sha256").update(bytes).digest("hex")
        assert.deepStrictEqual(second, Option.some({ step: 20, sha256 }))
        assert.strictEqual(Option.getOrThrow(third).step, 30)
        const { checkpoint, skipped } = yield* checkpoints.find(3)
        assert.isTrue(Option.isNone(checkpoint))
        assert.match(skipped[0], /snapshot-0000030.safetensors is damaged/)
      })
    )
  )

  for (const [how, damage] of [
    ["cut off", (file: string) => truncateSync(file, 100)],
    ["missing", (file: string) => rmSync(file)],
    [
      "changed by one bit",
      (file: string) => {
        const bytes = readFileSync(file)
        bytes[bytes.length - 3] ^= 1
        writeFileSync(file, bytes)
      }
    ]
  ] as const) {
    it.effect(`one that is ${how} is passed over, and named`, () =>
      inFolder(
        2,
        Effect.fnUntraced(function* (checkpoints, folder) {
          yield* checkpoints.save(at(10))
          yield* checkpoints.save(at(20))
          damage(path.join(folder, "step-0000020.safetensors"))
          const { skipped, step } = yield* latestStep(checkpoints)
          assert.strictEqual(step, 10)
          assert.strictEqual(skipped.length, 1)
          assert.include(skipped[0], "step-0000020.safetensors")
        })
      )
    )
  }

  it.effect("counters that were changed are noticed too", () =>
    inFolder(
      2,
      Effect.fnUntraced(function* (checkpoints, folder) {
        yield* checkpoints.save(at(10))
        yield* checkpoints.save(at(20))
        const file = path.join(folder, "step-0000020.json")
        const text = readFileSync(file, "utf8")
        writeFileSync(file, text.replace('"epoch": 2', '"epoch": 3'))
        assert.notStrictEqual(readFileSync(file, "utf8"), text)
        assert.strictEqual((yield* latestStep(checkpoints)).step, 10)
        writeFileSync(file, "{")
        assert.strictEqual((yield* latestStep(checkpoints)).step, 10)
      })
    )
  )

  it.effect("a step that was changed is noticed, and so is a file under another step's name", () =>
    inFolder(
      2,
      Effect.fnUntraced(function* (checkpoints, folder) {
        yield* checkpoints.save(at(10))
        yield* checkpoints.save(at(20))
        const file = path.join(folder, "step-0000020.json")
        const text = readFileSync(file, "utf8")
        writeFileSync(file, text.replace('"step": 20', '"step": 19'))
        assert.strictEqual((yield* latestStep(checkpoints)).step, 10)
        writeFileSync(file, text)
        for (const end of ["json", "safetensors"]) {
          renameSync(path.join(folder, `step-0000020.${end}`), path.join(folder, `step-0000030.${end}`))
        }
        const { skipped, step } = yield* latestStep(checkpoints)
        assert.strictEqual(step, 10)
        assert.match(skipped[0], /step-0000030\.json is damaged: it is of step 20/)
      })
    )
  )

  it.effect("one of another version of the format is named as such", () =>
    inFolder(
      1,
      Effect.fnUntraced(function* (checkpoints, folder) {
        yield* checkpoints.save(at(10))
        const file = path.join(folder, "step-0000010.json")
        writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), version: 2 }))
        assert.match((yield* latestStep(checkpoints)).skipped[0], /its format has version 2, not 1/)
      })
    )
  )

  it.effect("the best one is the one that the newest state speaks of, whatever else was written", () =>
    inFolder(
      2,
      Effect.fnUntraced(function* (checkpoints, folder) {
        yield* checkpoints.saveBest(at(10))
        yield* checkpoints.save({ ...at(10), best: 10 })
        // Killed before the state that speaks of this one was saved.
        yield* checkpoints.saveBest(at(20))
        assert.deepStrictEqual((yield* checkpoints.find("best")).checkpoint, Option.some(at(10)))
        const { identity } = yield* checkpoints.identify("best")
        assert.strictEqual(Option.getOrThrow(identity).step, 10)
        yield* checkpoints.save({ ...at(20), best: 20 })
        assert.deepStrictEqual((yield* checkpoints.find("best")).checkpoint, Option.some(at(20)))
        assert.isFalse(existsSync(path.join(folder, "best-0000010.json")))
      })
    )
  )

  it.effect("no other stands in for a best one that is damaged or missing, and that is named", () =>
    inFolder(
      2,
      Effect.fnUntraced(function* (checkpoints, folder) {
        yield* checkpoints.saveBest(at(10))
        yield* checkpoints.save({ ...at(20), best: 10 })
        const file = path.join(folder, "best-0000010.safetensors")
        truncateSync(file, 100)
        const damaged = yield* checkpoints.find("best")
        assert.isTrue(Option.isNone(damaged.checkpoint))
        assert.match(damaged.skipped[0], /best-0000010\.safetensors is damaged/)
        rmSync(file)
        const missing = yield* checkpoints.identify("best")
        assert.isTrue(Option.isNone(missing.identity))
        assert.match(missing.skipped[0], /best-0000010\.safetensors is missing/)
        rmSync(path.join(folder, "best-0000010.json"))
        assert.match((yield* checkpoints.find("best")).skipped[0], /best-0000010\.json is missing/)
      })
    )
  )

  it.effect("identify falls back as find does", () =>
    inFolder(
      2,
      Effect.fnUntraced(function* (checkpoints, folder) {
        yield* checkpoints.save(at(10))
        yield* checkpoints.save(at(20))
        writeFileSync(path.join(folder, "step-0000020.json"), "{")
        const { identity, skipped } = yield* checkpoints.identify("latest")
        assert.strictEqual(Option.getOrThrow(identity).step, 10)
        assert.match(skipped[0], /step-0000020\.json is not JSON/)
      })
    )
  )

  it.effect("a good one is whole until another one of its step is, wherever the process is killed", () =>
    inFolder(
      1,
      Effect.fnUntraced(function* (checkpoints, folder) {
        const other: Checkpoint = { ...at(10), counters: { epoch: 2, best: null } }
        const [tensors, manifest] = ["safetensors", "json"].map((end) =>
          path.join(folder, `step-0000010.${end}`)
        )
        yield* checkpoints.save(at(10))
        const before = path.join(folder, "step-0000010-before.json")
        // As the process leaves it when it is killed after each of its acts.
        linkSync(tensors, path.join(folder, "step-0000010-before.safetensors"))
        assert.deepStrictEqual(yield* latestStep(checkpoints), { step: 10, skipped: [] })
        renameSync(manifest, before)
        assert.deepStrictEqual((yield* checkpoints.find("latest")).checkpoint, Option.some(at(10)))
        rmSync(tensors)
        writeFileSync(tensors, "of the other one")
        assert.deepStrictEqual((yield* checkpoints.find("latest")).checkpoint, Option.some(at(10)))
        yield* checkpoints.save(other)
        assert.deepStrictEqual((yield* checkpoints.find("latest")).checkpoint, Option.some(other))
        yield* checkpoints.save(at(10))
        assert.deepStrictEqual((yield* checkpoints.find("latest")).checkpoint, Option.some(at(10)))
        assert.sameMembers(readdirSync(folder), ["step-0000010.json", "step-0000010.safetensors"])
      })
    )
  )

  it.effect("files that others put beside them are left alone", () =>
    inFolder(
      1,
      Effect.fnUntraced(function* (checkpoints, folder) {
        const others = [
          "best-0000001-mine.json",
          "step-7.json",
          "step-0000001.txt",
          "notes.tmp",
          "snapshot-all"
        ]
        yield* checkpoints.save(at(1))
        for (const name of others) writeFileSync(path.join(folder, name), "mine")
        yield* checkpoints.saveBest(at(20))
        yield* checkpoints.saveSnapshot(at(20))
        yield* checkpoints.save({ ...at(20), best: 20 })
        const own = ["step", "best", "snapshot"].flatMap((kind) => [
          `${kind}-0000020.json`,
          `${kind}-0000020.safetensors`
        ])
        assert.sameMembers(readdirSync(folder), [...own, ...others])
      })
    )
  )

  it.effect("what was saved before a damaged one's step is the newest again", () =>
    inFolder(
      1,
      Effect.fnUntraced(function* (checkpoints, folder) {
        yield* checkpoints.save(at(30))
        truncateSync(path.join(folder, "step-0000030.safetensors"), 100)
        yield* checkpoints.save(at(20))
        assert.deepStrictEqual(yield* latestStep(checkpoints), { step: 20, skipped: [] })
      })
    )
  )

  it.effect("killed between any two writes leaves the one before, and no rubbish after the next", () =>
    inFolder(
      1,
      Effect.fnUntraced(function* (checkpoints, folder) {
        yield* checkpoints.save(at(10))
        // In the middle of the tensors; then with the tensors but without their hash.
        writeFileSync(path.join(folder, "step-0000020.safetensors.0badf00d.tmp"), "half")
        assert.deepStrictEqual(yield* latestStep(checkpoints), { step: 10, skipped: [] })
        writeFileSync(path.join(folder, "step-0000020.safetensors"), "whole but unhashed")
        assert.deepStrictEqual(yield* latestStep(checkpoints), { step: 10, skipped: [] })
        yield* checkpoints.save(at(30))
        assert.sameMembers(readdirSync(folder), ["step-0000030.json", "step-0000030.safetensors"])
      })
    )
  )

  it.effect("a folder that cannot be made is an error that names it, and nothing is lost", () =>
    inFolder(
      1,
      Effect.fnUntraced(function* (checkpoints, folder) {
        writeFileSync(folder, "in the way")
        const error = yield* Effect.flip(checkpoints.save(at(10)))
        assert.strictEqual(error._tag, "StorageError")
        assert.include(error.message, folder)
        assert.strictEqual(readFileSync(folder, "utf8"), "in the way")
      })
    )
  )
})
