import { assert, describe, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { explain } from "../../src/Cli/Shared/Explain.ts"
import { cpu } from "../../src/Device/Setup/Diagnosis.ts"
import { Device, entryPoint, type Precision } from "../../src/Device.ts"
import { relu } from "../../src/Ops/Activation.ts"
import { conv2d } from "../../src/Ops/Convolution.ts"
import { valueAndGradients } from "../../src/Ops/Gradients.ts"
import { applyMomentum } from "../../src/Ops/MomentumUpdate.ts"
import { draws } from "../../src/Random.ts"
import { float32, int32, scalar, type TensorRecord, uint8 } from "../../src/Tensor/HostTensor.ts"
import { distance } from "../support/Fixtures.ts"
import { evaluate, onCpu } from "../support/OnCpu.ts"

const vector = (...values: ReadonlyArray<number>) => float32([values.length], Float32Array.from(values))

/** Compiles a program that should not compile, and gives its error. */
const refused = (state: TensorRecord, f: (state: Readonly<Record<string, tf.Tensor>>) => TfResult) =>
  Effect.gen(function* () {
    const device = yield* Device
    return yield* Effect.flip(
      device.compile(state, { f: entryPoint({ inputs: {}, run: (state) => f(state) }) })
    )
  }).pipe(onCpu)

interface TfResult {
  readonly state?: Readonly<Record<string, tf.Tensor>>
  readonly output: Readonly<Record<string, tf.Tensor>>
}

describe("a program", () => {
  it.effect("keeps its state on the device, shared by its entry points", () =>
    Effect.gen(function* () {
      const device = yield* Device
      const program = yield* device.compile(
        { total: vector(1, 2), untouched: int32([], Int32Array.of(7)) },
        {
          add: entryPoint({
            inputs: { x: { dtype: "float32", shape: [2] } },
            run: ({ total }, { x }) => ({ state: { total: tf.add(total, x) }, output: { before: total } })
          }),
          sum: entryPoint({
            inputs: {},
            run: ({ total }) => ({ output: { sum: tf.sum(total) } })
          })
        }
      )
      const first = yield* program.run("add", { x: vector(10, 20) })
      assert.deepStrictEqual(first.before, vector(1, 2))
      assert.strictEqual((yield* program.run("sum", {})).sum.data[0], 33)
      assert.deepStrictEqual(yield* program.read, {
        total: vector(11, 22),
        untouched: int32([], Int32Array.of(7))
      })
      yield* program.write({ total: vector(-1, 1) })
      assert.strictEqual((yield* program.run("sum", {})).sum.data[0], 0)
    }).pipe(onCpu)
  )

  it.effect("takes uint8 images as float32 with the same values", () =>
    Effect.gen(function* () {
      const { half } = yield* evaluate({ x: uint8([3], Uint8Array.of(0, 127, 255)) }, ({ x }) => ({
        half: tf.div(x, 2)
      }))
      assert.deepStrictEqual(half, vector(0, 63.5, 127.5))
    })
  )

  it.effect("has large constants as they are, whether or not they have one value", () =>
    Effect.gen(function* () {
      const [size, last] = [4096, 4095]
      const of = (value: number, end = value) => new Float32Array(size).fill(value).fill(end, last)
      const constants = {
        ...{ ones: of(1), zero: of(-0), unknown: of(Number.NaN), infinite: of(-1 / 0) },
        ...{ zeros: of(0, -0), other: of(1, 2) }
      }
      const names = Object.keys(constants) as Array<keyof typeof constants>
      const result = yield* evaluate({}, () =>
        Object.fromEntries(names.map((name) => [name, tf.tensor(constants[name], [size / 4, 2, 2])]))
      )
      for (const name of names) {
        assert.deepStrictEqual(result[name].shape, [size / 4, 2, 2])
        assert.deepStrictEqual(result[name].data, constants[name], name)
      }
    })
  )

  it.effect("moves parameters as Nesterov momentum does, in place", () =>
    Effect.gen(function* () {
      const device = yield* Device
      const program = yield* device.compile(
        { w: vector(1), v: vector(2) },
        {
          step: entryPoint({
            inputs: { gradient: { dtype: "float32", shape: [1] } },
            run: ({ v, w }, { gradient }) => {
              const { momentum, parameter } = applyMomentum(w, v, gradient, tf.scalar(0.5), tf.scalar(0.9))
              return { state: { w: parameter, v: momentum }, output: { w: parameter } }
            }
          })
        }
      )
      const velocity = 0.9 * 2 + 4
      const weight = 1 - 0.5 * (4 + 0.9 * velocity)
      const { w } = yield* program.run("step", { gradient: vector(4) })
      assert.closeTo(w.data[0], weight, 1e-6)
      const state = yield* program.read
      assert.closeTo(state.w.data[0], weight, 1e-6)
      assert.closeTo(state.v.data[0], velocity, 1e-6)
    }).pipe(onCpu)
  )

  it.effect("refuses inputs that are missing or of another type or shape", () =>
    Effect.gen(function* () {
      const device = yield* Device
      const program = yield* device.compile(
        {},
        {
          f: entryPoint({
            inputs: { x: { dtype: "float32", shape: [2] } },
            run: (_, { x }) => ({ output: { x } })
          })
        }
      )
      const problem = (input: TensorRecord) =>
        Effect.map(
          Effect.flip(program.run("f", input as { x: ReturnType<typeof vector> })),
          (error) => error.message
        )
      assert.strictEqual(yield* problem({}), "the input x of f is missing")
      assert.strictEqual(
        yield* problem({ x: vector(1, 2, 3) }),
        "the input x of f is float32[3], but the program takes float32[2]"
      )
      assert.strictEqual(
        yield* problem({ x: int32([2]) }),
        "the input x of f is int32[2], but the program takes float32[2]"
      )
      assert.match((yield* Effect.flip(program.write({ y: vector(1) }))).message, /no state named y/)
    }).pipe(onCpu)
  )

  it.live("leaves the event loop free while it runs, and can be interrupted between runs", () =>
    Effect.gen(function* () {
      const device = yield* Device
      const shape = [32, 32, 32, 64]
      const program = yield* device.compile(
        { count: scalar(0), x: float32(shape), kernel: float32([3, 3, 64, 64]) },
        {
          step: entryPoint({
            inputs: {},
            run: ({ count, kernel, x }) => {
              const y = conv2d(
                conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, 1, 1),
                kernel as tf.Tensor4D,
                1,
                1
              )
              return { state: { count: tf.add(count, 1) }, output: { sum: tf.sum(y) } }
            }
          })
        }
      )
      let ticks = 0
      const timer = setInterval(() => ticks++, 1)
      let steps = 0
      const loop = Effect.forever(
        Effect.andThen(
          program.run("step", {}),
          Effect.sync(() => steps++)
        )
      )
      const fiber = yield* Effect.forkChild(loop)
      const started = performance.now()
      while (steps < 3 || performance.now() - started < 300) yield* Effect.sleep(10)
      yield* Fiber.interrupt(fiber)
      clearInterval(timer)
      // A blocked loop would tick once a step.
      assert.isAbove(ticks, 2 * steps)
      const { count } = yield* program.read
      // The run under way when the interruption came was completed, whether or not it was counted here.
      assert.include([steps, steps + 1], count.data[0])
    }).pipe(onCpu)
  )

  it.live("gives back its memory with its scope", () =>
    Effect.gen(function* () {
      const device = yield* Device
      const state = { w: float32([1 << 21], new Float32Array(1 << 21).fill(1)) }
      const once = Effect.gen(function* () {
        const program = yield* device.compile(state, {
          step: entryPoint({
            inputs: {},
            run: ({ w }) => {
              const { gradients, loss } = valueAndGradients(
                () => ({ loss: tf.sum(relu(tf.mul(w, w))), auxiliary: {} }),
                { w }
              )
              return { state: { w: tf.sub(w, tf.mul(gradients.w, 0.1)) }, output: { loss } }
            }
          })
        })
        yield* program.run("step", {})
      }).pipe(Effect.scoped)
      const resident = () => process.memoryUsage.rss() / 2 ** 20
      for (let i = 0; i < 8; i++) yield* once
      const before = resident()
      for (let i = 0; i < 20; i++) yield* once
      // Each program holds 8 MiB of state and as much of temporaries: a leak would be hundreds of MiB.
      assert.isBelow(resident() - before, 60)
      assert.strictEqual(tf.engine().state.numTensors, 0)
    }).pipe(onCpu)
  )
})

describe("a program that is wrong", () => {
  it.effect("says that a value was read while tracing", () =>
    Effect.gen(function* () {
      for (const read of [(w: tf.Tensor) => w.dataSync(), (w: tf.Tensor) => w.arraySync()]) {
        const error = yield* refused({ w: vector(1) }, ({ w }) => {
          read(w)
          return { output: { w } }
        })
        assert.strictEqual(error._tag, "TraceError")
        assert.match(error.message, /value/)
        assert.notMatch(error.message, /\n/)
      }
    })
  )

  it.effect("says which op has no gradient", () =>
    Effect.gen(function* () {
      const error = yield* refused({ w: vector(1, 2) }, ({ w }) => {
        const { gradients, loss } = valueAndGradients(
          () => ({ loss: tf.einsum("i,i->", w, w) as tf.Scalar, auxiliary: {} }),
          { w }
        )
        return { output: { loss, gradient: gradients.w } }
      })
      assert.strictEqual(error._tag, "TraceError")
      assert.match(error.message, /Einsum has no gradient/)
    })
  )

  it.effect("says which state has the wrong shape or is unknown", () =>
    Effect.gen(function* () {
      const shape = yield* refused({ w: vector(1, 2) }, ({ w }) => ({ state: { w: tf.sum(w) }, output: {} }))
      assert.strictEqual(
        shape.message,
        "the entry point f returns float32[] for the state w, which is float32[2]"
      )
      const unknown = yield* refused({ w: vector(1) }, ({ w }) => ({ state: { v: w }, output: {} }))
      assert.match(unknown.message, /returns the state v, which was not given/)
    })
  )

  it.effect("names the op whose shapes do not fit", () =>
    Effect.gen(function* () {
      const kernel = float32([3, 3, 5, 4])
      const error = yield* refused({ x: float32([1, 8, 8, 3]), kernel }, ({ kernel, x }) => ({
        output: { y: conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, 1, 1) }
      }))
      assert.strictEqual(error._tag, "TraceError")
      assert.match(error.message, /Conv2D/)
    })
  )

  it.effect("says that a tensor of another program was used", () =>
    Effect.gen(function* () {
      let stolen: tf.Tensor | undefined
      yield* evaluate({ x: vector(1) }, ({ x }) => {
        stolen = tf.keep(tf.add(x, 1))
        return { x }
      })
      const error = yield* refused({ w: vector(1) }, ({ w }) => ({ output: { w: tf.add(w, stolen!) } }))
      assert.strictEqual(error._tag, "TraceError")
      stolen!.dispose()
    })
  )

  it.effect("names the op that fails while it runs", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        evaluate({ x: vector(1), index: int32([1, 1], Int32Array.of(9)) }, ({ index, x }) => ({
          y: tf.scatterND(index as tf.Tensor2D, x, [3])
        }))
      )
      assert.strictEqual(error._tag, "ExecutionError")
      assert.match(error.message, /f\/ScatterNd/)
      assert.notMatch(error.message, /\n/)
    })
  )
})

/** Sums of 3×3 neighbourhoods of numbers that bfloat16 does not hold exactly, in a precision. */
const convolved = (precision: Precision) =>
  Effect.gen(function* () {
    const device = yield* Device
    const random = draws(1, "convolution")
    const fill = (shape: ReadonlyArray<number>) =>
      float32(
        shape,
        Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.uniform())
      )
    const program = yield* device.compile(
      { x: fill([8, 16, 16, 32]), kernel: fill([3, 3, 32, 32]) },
      {
        convolve: entryPoint({
          inputs: {},
          run: ({ kernel, x }) => ({
            output: { y: conv2d(relu(x) as tf.Tensor4D, kernel as tf.Tensor4D, 1, 1) }
          })
        })
      },
      { precision }
    )
    return (yield* program.run("convolve", {})).y
  }).pipe(onCpu)

it.effect("bfloat16 gives nearly the same where the CPU has it, and is refused where it has not", () =>
  Effect.gen(function* () {
    const { features } = cpu()
    if (!features.includes("avx512_bf16") && !features.includes("amx_bf16")) {
      const error = yield* Effect.flip(convolved("bfloat16"))
      assert.strictEqual(error._tag, "DeviceUnavailable")
      assert.match(explain(error), /AVX512_BF16.*train\.precision=float32/)
      return
    }
    const exact = yield* convolved("float32")
    const rounded = yield* convolved("bfloat16")
    const largest = Math.max(...exact.data)
    assert.isBelow(distance(exact, rounded) / largest, 0.01)
    assert.isAbove(distance(exact, rounded) / largest, 1e-5)
  })
)

it.effect("a GPU that is not there is an error, never the CPU", () =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(
      Effect.scoped(Effect.provide(Effect.asVoid(Device), Device.layer("gpu:97")))
    )
    assert.strictEqual(error._tag, "DeviceUnavailable")
    assert.strictEqual(error._tag === "DeviceUnavailable" && error.reason, "NoDevice")
    assert.match(explain(error), /gpu:97.*setup --gpu/)
  })
)
