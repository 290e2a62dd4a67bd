import { assert, describe, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { bytes, number } from "../../src/Device/Graph/Protobuf.ts"
import { decodeEvents, TRACED } from "../../src/Device/Session/StepStats.ts"
import { Device, entryPoint } from "../../src/Device.ts"
import { relu } from "../../src/Ops/Activation.ts"
import { conv2d } from "../../src/Ops/Convolution.ts"
import { float32 } from "../../src/Tensor/HostTensor.ts"
import { onCpu } from "../support/OnCpu.ts"

/** A time in 2025, in nanoseconds, which a double does not hold exactly. */
const EPOCH = 1_750_000_000_000_000_001n

/** A `NodeExecStats`; the message has other fields before, between and after those that are read. */
const node = (name: string, label: string, at: ReadonlyArray<number | bigint>) => [
  number(2, 77),
  bytes(1, name),
  bytes(6, [bytes(1, "cpu"), number(2, 1024)]),
  bytes(8, label),
  // Eight bytes (wire type 1) and four bytes (5), in fields that no version of the message has.
  Uint8Array.of(((100 << 3) & 127) | 128 | 1, 6, 1, 2, 3, 4, 5, 6, 7, 8),
  Uint8Array.of(((101 << 3) & 127) | 128 | 5, 6, 1, 2, 3, 4),
  number(10, 7),
  number(13, at[0]),
  number(14, at[1]),
  number(15, at[2]),
  number(16, 99_999),
  bytes(12, [number(1, 5)])
]

describe("the notes of a run", () => {
  it("are decoded in the order of the starts, and other fields are skipped", () => {
    const device = (name: string, ...nodes: ReadonlyArray<ReadonlyArray<Uint8Array>>) =>
      bytes(1, [
        bytes(1, name),
        bytes(3, [number(1, 9), bytes(2, "a thread")]),
        ...nodes.map((n) => bytes(2, n))
      ])
    const stats = bytes(1, [
      device(
        "cpu",
        node("b", "[mem 0.1MB 1KB] b = _FusedConv2D(x, y)", [EPOCH, 2500, 4000]),
        node("a", "a = Relu(x)", [EPOCH, 500, 600])
      ),
      device("gpu", node("c", "", [EPOCH + 2000n, -1000, -1000]))
    ])
    const metadata = Buffer.concat([bytes(2, [number(1, 3)]), stats, bytes(3, "a graph")])
    assert.deepStrictEqual(decodeEvents(metadata), [
      { device: "cpu", op: "Relu", node: "a", start: 0, duration: 0.1 },
      { device: "gpu", op: "c", node: "c", start: 0.5, duration: 0 },
      { device: "cpu", op: "_FusedConv2D", node: "b", start: 2, duration: 1.5 }
    ])
  })

  it("may be empty", () => {
    assert.deepStrictEqual(decodeEvents(new Uint8Array()), [])
  })

  it("are asked for by the level of a full trace", () => {
    assert.deepStrictEqual([...TRACED], [8, 3])
  })
})

it.effect("a profiled run is a run, and tells the operations that it was made of", () =>
  Effect.gen(function* () {
    const device = yield* Device
    const filter = float32([3, 3, 4, 8], new Float32Array(288).fill(0.1))
    const program = yield* device.compile(
      { total: float32([]) },
      {
        f: entryPoint({
          inputs: { x: { dtype: "float32", shape: [2, 16, 16, 4] }, filter },
          run: ({ total }, { filter, x }) => {
            const y = relu(conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, 1))
            return { state: { total: tf.add(total, tf.sum(y)) }, output: { y } }
          }
        })
      }
    )
    const input = { x: float32([2, 16, 16, 4], new Float32Array(2048).fill(1)), filter }
    yield* program.run("f", input)
    const once = (yield* program.read).total.data[0]
    const events = yield* program.profile("f", input)
    assert.isAbove(once, 0)
    assert.strictEqual((yield* program.read).total.data[0], 2 * once)
    const kinds = events.map(({ op }) => op)
    assert.isTrue(
      kinds.some((op) => op.includes("Conv2D")),
      kinds.join()
    )
    assert.isTrue(kinds.includes("Sum"), kinds.join())
    for (const { device, duration, node, start } of events) {
      assert.match(device, /CPU:0$/)
      assert.isAtLeast(duration, 0)
      assert.isAtLeast(start, 0)
      assert.notStrictEqual(node, "")
    }
    const refused = yield* Effect.flip(program.profile("f", { ...input, x: filter }))
    assert.match(refused.message, /^the input x of f is/)
  }).pipe(onCpu)
)
