/** What a traced program leaves of the host's own tfjs. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { assert, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { Device, entryPoint } from "../../src/Device.ts"
import { onCpu } from "../support/OnCpu.ts"

class FakeBackend extends tf.KernelBackend {
  private readonly kept = new tf.DataStorage<tf.BackendValues>(this, tf.engine())
  override floatPrecision(): 32 {
    return 32
  }
  override epsilon(): number {
    return 1e-7
  }
  override numDataIds(): number {
    return this.kept.numDataIds()
  }
  override write(values: tf.BackendValues): tf.DataId {
    const id = {}
    this.kept.set(id, values)
    return id
  }
  override move(id: tf.DataId, values: tf.BackendValues): void {
    this.kept.set(id, values)
  }
  override readSync(id: tf.DataId): tf.BackendValues {
    return this.kept.get(id)
  }
  override disposeData(id: tf.DataId): boolean {
    return this.kept.delete(id)
  }
}

/** The backend's `Add` always gives 42, so that it is known by its result. */
const registerFake = () => {
  tf.registerBackend("fake", () => new FakeBackend(), 5)
  tf.registerKernel({
    kernelName: "Add",
    backendName: "fake",
    kernelFunc: ({ backend }) => ({
      dataId: (backend as FakeBackend).write(Float32Array.of(42)),
      shape: [1],
      dtype: "float32"
    })
  })
}

const add = (): number | string => {
  try {
    return tf.add([1], [2]).dataSync()[0]
  } catch (cause) {
    return String(cause)
  }
}

const value = { dtype: "float32", shape: [1], data: Float32Array.of(3) } as const
const entries = {
  add: entryPoint({
    inputs: { x: { dtype: "float32", shape: [1] } },
    run: ({ w }, { x }) => ({ output: { sum: tf.add(w, x) } })
  })
}

/** Compiles twice and runs, and gives the host's `tf.add` between the traces and after the runs. */
const training = Effect.gen(function* () {
  const device = yield* Device
  const first = yield* device.compile({ w: value }, entries)
  const between = [tf.getBackend(), add()]
  const second = yield* device.compile({ w: value }, entries)
  const { sum } = yield* first.run("add", { x: value })
  yield* second.run("add", { x: value })
  assert.deepStrictEqual([...sum.data], [6])
  return { between, after: [tf.getBackend(), add()] }
})

it.effect("a host without a backend, with one not chosen yet, and with one of its own", () =>
  onCpu(
    Effect.gen(function* () {
      const none = [tf.getBackend(), add()]
      assert.strictEqual(none[0], undefined)
      assert.deepStrictEqual(yield* training, { between: none, after: none })
      registerFake()
      const device = yield* Device
      yield* device.compile({ w: value }, entries)
      assert.strictEqual(tf.getBackend(), undefined)
      assert.strictEqual(add(), 42)
      assert.deepStrictEqual(yield* training, { between: ["fake", 42], after: ["fake", 42] })
    })
  )
)

it.effect("an entry point that is not there is a failure", () =>
  onCpu(
    Effect.gen(function* () {
      const device = yield* Device
      const program = yield* device.compile({ w: value }, entries)
      const error = yield* Effect.flip(program.run("subtract" as "add", { x: value }))
      assert.strictEqual(error._tag, "ExecutionError")
      assert.include(error.message, "subtract")
    })
  )
)

/** Another installation of the package, with the same tfjs. */
const anotherCopy = Effect.acquireRelease(
  Effect.sync(() => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "shakedrop-copy-"))
    const root = path.resolve(import.meta.dirname, "../..")
    for (const name of ["dist", "src", "package.json"]) {
      fs.cpSync(path.join(root, name), path.join(folder, name), { recursive: true })
    }
    fs.symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"))
    return folder
  }),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
)

it.effect(
  "kernels of the host's, for a backend named as tfjs-node's, and of another copy of this package",
  () =>
    onCpu(
      Effect.gen(function* () {
        // What tfjs-node registers in a host that has it.
        tf.registerKernel({
          kernelName: "Add",
          backendName: "tensorflow",
          kernelFunc: () => {
            throw new Error("the host's kernel was called")
          }
        })
        const seen = () =>
          tf.getKernelsForBackend("tensorflow").map(({ kernelName, kernelFunc }) => [kernelName, kernelFunc])
        const before = seen()
        assert.lengthOf(before, 1)
        const folder = yield* anotherCopy
        const other: typeof import("../../src/Device.ts") = yield* Effect.promise(
          () => import(pathToFileURL(path.join(folder, "dist/Device.js")).href)
        )
        const host = yield* training
        const theirs = yield* other.Device.pipe(
          Effect.flatMap((device) => device.compile({ w: value }, entries)),
          Effect.flatMap((program) => program.run("add", { x: value })),
          Effect.scoped,
          Effect.provide(other.Device.layer("cpu"))
        )
        assert.deepStrictEqual([...theirs.sum.data], [6])
        assert.deepStrictEqual(yield* training, host)
        assert.deepStrictEqual(seen(), before)
      })
    )
)
