import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { Device } from "../../src/Device.ts"
import { type Ensemble, evaluateEnsemble, isPrepared, memberOutputs, prepare } from "../../src/Ensemble.ts"
import { decode, encode } from "../../src/Tensor/Safetensors.ts"
import { heardParts } from "../support/Events.ts"
import { countedDevice, dataset, keptOutputs, open, services, trainedBefore, withData } from "./runs.ts"

const { copies, logits } = trainedBefore({
  a: {},
  b: { model: { width: 3 } },
  c: { seed: 3, train: { epochs: 2, schedule: { _tag: "WarmRestarts", t0: 1 } } }
})

const both = [{ run: "a" }, { run: "b" }]
const prepared = (ensemble: Ensemble) => Effect.provide(prepare(ensemble, "test"), services)
const nowhere = Layer.merge(withData(), Device.layerTest())

/** Changes one byte of a file. */
const flip = (file: string, at: number): void => {
  const bytes = readFileSync(file)
  bytes[at < 0 ? bytes.length + at : at] ^= 1
  writeFileSync(file, bytes)
}

describe("outputs", () => {
  it.effect("are what the run's own result is made of, are kept, and are computed once", () =>
    Effect.gen(function* () {
      const ensemble = yield* open(yield* copies, both)
      assert.isFalse(yield* Effect.provide(isPrepared(ensemble, "test"), withData()))
      const views: Array<readonly [number, number]> = []
      yield* prepare(ensemble, "test").pipe(
        heardParts("View", (done, all) => views.push([done, all])),
        Effect.provide(services)
      )
      assert.deepStrictEqual(views, [
        [1, 2],
        [2, 2]
      ])
      const [a, b] = yield* Effect.provide(memberOutputs(ensemble, "test"), withData())
      assert.deepStrictEqual([a.images, a.classes], [40, 4])
      assert.deepStrictEqual(a.values, logits.a)
      assert.deepStrictEqual(b.values, logits.b)
      assert.isTrue(yield* Effect.provide(isPrepared(ensemble, "test"), withData()))
      yield* Effect.provide(prepare(ensemble, "test"), nowhere)
      // Of another split they are others.
      assert.isFalse(yield* Effect.provide(isPrepared(ensemble, "validation"), withData()))
    })
  )

  it.effect("serve any weights, rule, order, subset and temperature without a device", () =>
    Effect.gen(function* () {
      const folder = yield* copies
      yield* prepared(yield* open(folder, both))
      const changes = [
        [[{ run: "b", weight: 3 }], {}],
        [[{ run: "b", weight: 3 }, { run: "a" }], { rule: "MajorityVote" }],
        [[{ run: "a" }, { run: "b", weight: 0 }], { rule: "MeanLogits", temperature: 2 }]
      ] as const
      for (const [members, rest] of changes) {
        const ensemble = yield* open(folder, members, rest)
        yield* Effect.provide(prepare(ensemble, "test"), nowhere)
        const { report } = yield* evaluateEnsemble(ensemble, { split: "test", command: "test" }).pipe(
          Effect.provide(withData())
        )
        assert.strictEqual(report.members.length, members.length)
      }
    })
  )

  it.effect("are asked for before they are used", () =>
    Effect.gen(function* () {
      const ensemble = yield* open(yield* copies, both)
      const error = yield* Effect.flip(Effect.provide(memberOutputs(ensemble, "test"), withData()))
      assert.strictEqual(error._tag, "EnsembleError")
      assert.match(error.message, /^what a \(raw\) says of the test images has not been computed[^\n]*$/)
    })
  )

  it.effect("are computed again where their file is damaged, or another version wrote it", () =>
    Effect.gen(function* () {
      const folder = yield* copies
      const ensemble = yield* open(folder, both)
      yield* prepared(ensemble)
      const [file] = keptOutputs(folder, "a").keys()
      const other = keptOutputs(folder, "b")
      const damages: ReadonlyArray<() => void> = [
        () => truncateSync(file, 100),
        () => truncateSync(file, 0),
        () => flip(file, -1),
        // In its header.
        () => flip(file, 20),
        () => writeFileSync(file, "something else"),
        () => writeFileSync(file, Buffer.concat(encode(tensors, { ...metadata, shakedrop: "0.0.1" })))
      ]
      const whole = readFileSync(file)
      const { metadata, tensors } = decode(whole)
      for (const damage of damages) {
        damage()
        assert.isFalse(yield* Effect.provide(isPrepared(ensemble, "test"), withData()))
        yield* prepared(ensemble)
        assert.isTrue(readFileSync(file).equals(whole))
      }
      assert.deepStrictEqual(keptOutputs(folder, "b"), other)
    })
  )

  it.effect("that are missing alone are computed", () =>
    Effect.gen(function* () {
      const folder = yield* copies
      const count = { live: 0, most: 0, all: 0 }
      const layer = Layer.merge(withData(), countedDevice(count))
      const ensemble = yield* open(folder, both, { tta: "airbench" })
      yield* Effect.provide(prepare(ensemble, "test"), layer)
      // One member's weights are on the device at a time, for all of its views.
      assert.deepStrictEqual(count, { live: 0, most: 1, all: 2 })
      const before = [keptOutputs(folder, "a"), keptOutputs(folder, "b")]
      assert.deepStrictEqual(
        before.map(({ size }) => size),
        [6, 6]
      )
      const [lost] = [...before[1].keys()].slice(3)
      rmSync(lost)
      yield* Effect.provide(prepare(ensemble, "test"), layer)
      assert.strictEqual(count.all, 3)
      const after = [keptOutputs(folder, "a"), keptOutputs(folder, "b")]
      assert.deepStrictEqual(after[0], before[0])
      for (const [file, time] of after[1]) {
        if (file === lost) assert.notStrictEqual(time, before[1].get(file))
        else assert.strictEqual(time, before[1].get(file))
      }
    })
  )

  it.live("that were computed before an interruption stay", () =>
    Effect.gen(function* () {
      const folder = yield* copies
      const ensemble = yield* open(folder, both, { tta: "ten-crop" })
      let reached = (): void => {}
      const third = new Promise<void>((resolve) => {
        reached = resolve
      })
      const fiber = yield* Effect.forkChild(
        prepare(ensemble, "test").pipe(
          heardParts("View", (done) => done === 3 && reached()),
          Effect.provide(services)
        )
      )
      yield* Effect.promise(() => third)
      yield* Fiber.interrupt(fiber)
      const before = keptOutputs(folder, "a")
      assert.isAtLeast(before.size, 3)
      assert.isFalse(existsSync(path.join(folder, "b", "outputs")))
      yield* prepared(ensemble)
      const after = keptOutputs(folder, "a")
      assert.strictEqual(after.size, 10)
      for (const [file, time] of before) assert.strictEqual(after.get(file), time)
    })
  )

  it.effect("of no member are computed where the weights of one are damaged", () =>
    Effect.gen(function* () {
      for (const [run, damaged, member] of [
        ["b", /^best-.*\.safetensors$/, { run: "b", checkpoint: "best" }],
        ["b", /^best-.*\.json$/, { run: "b", checkpoint: "best" }],
        // An older state must not stand in for the newest one.
        ["c", /^step-0000006\.safetensors$/, { run: "c", checkpoint: "latest" }],
        ["c", /^snapshot-0000003\.safetensors$/, { run: "c", checkpoint: 1 }]
      ] as const) {
        const folder = yield* copies
        const ensemble = yield* open(folder, [{ run: "a" }, member])
        const checkpoints = path.join(folder, run, "checkpoints")
        const name = readdirSync(checkpoints).find((name) => damaged.test(name))!
        flip(path.join(checkpoints, name), -3)
        const error = yield* Effect.flip(prepared(ensemble))
        assert.match(error.message, /^[^\n]*(damaged|is not JSON)[^\n]*$/)
        assert.include(error.message, path.join(folder, run))
        assert.isFalse(existsSync(path.join(folder, "a", "outputs")))
      }
    })
  )

  it.effect("of several weights of one run are kept beside each other", () =>
    Effect.gen(function* () {
      const folder = yield* copies
      const ensemble = yield* open(folder, [
        { run: "c", checkpoint: 1 },
        { run: "c", checkpoint: 2 },
        { run: "c", checkpoint: "latest" }
      ])
      yield* prepared(ensemble)
      const [first, second, latest] = yield* Effect.provide(memberOutputs(ensemble, "test"), withData())
      assert.notDeepEqual(first.values, second.values)
      // The second cycle ends with the run.
      assert.deepStrictEqual(latest.values, second.values)
    })
  )

  it.effect("of images that are chosen otherwise are kept beside", () =>
    Effect.gen(function* () {
      const folder = yield* copies
      const ensemble = yield* open(folder, [{ run: "a" }])
      yield* prepared(ensemble)
      // Without the first batch: on some CPUs the last bits depend on an image's place in its batch.
      const rest = { ...dataset, test: { ...dataset.test, indices: dataset.test.indices.slice(32) } }
      const layer = Layer.provideMerge(withData(rest), services)
      yield* Effect.provide(prepare(ensemble, "test"), layer)
      const [outputs] = yield* Effect.provide(memberOutputs(ensemble, "test"), withData(rest))
      assert.deepStrictEqual(outputs.values, logits.a.slice(32 * 4))
      assert.strictEqual(keptOutputs(folder, "a").size, 2)
    })
  )
})
