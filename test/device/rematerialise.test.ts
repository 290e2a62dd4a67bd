import { assert, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { gelu, relu } from "../../src/Ops/Activation.ts"
import { batchNormTraining } from "../../src/Ops/BatchNorm.ts"
import { conv2d } from "../../src/Ops/Convolution.ts"
import { valueAndGradients } from "../../src/Ops/Gradients.ts"
import { maxPool } from "../../src/Ops/Pooling.ts"
import { addResidual, forGradient, isCheap } from "../../src/Ops/Recompute/Rematerialise.ts"
import { float32 } from "../../src/Tensor/HostTensor.ts"
import { euclidean, norm } from "../support/Fixtures.ts"
import { normals } from "../support/Normals.ts"
import { evaluate } from "../support/OnCpu.ts"

type Inputs = Readonly<Record<string, tf.Tensor>>

const random = (seed: number, shape: ReadonlyArray<number>, mean = 0, deviation = 1) =>
  normals(seed, "rematerialise", shape, mean, deviation)

const EPSILON = 1e-5

const fused = ({ mean, offset, scale, variance }: Inputs, x: tf.Tensor4D): tf.Tensor4D =>
  batchNormTraining(x, scale, offset, mean, variance, { momentum: 0.1, epsilon: EPSILON }).value

const channels = 8
const normalisation = {
  scale: random(1, [channels], 1, 0.3),
  offset: random(2, [channels]),
  mean: random(3, [channels]),
  variance: float32([channels], new Float32Array(channels).fill(2))
}

it.effect.each([
  { shape: [16, 32, 32, channels] },
  { shape: [7, 5, 3, channels] },
  { shape: [1, 2, 2, channels] }
])("normalised and activated values $shape have the same bits again", ({ shape }) =>
  Effect.gen(function* () {
    const x = random(4, shape, 30, 5)
    const result = yield* evaluate({ ...normalisation, x }, (inputs) => {
      const normalised = fused(inputs, inputs.x as tf.Tensor4D)
      const values: Inputs = { normalised, rectified: relu(normalised), activated: gelu(normalised) }
      const again = Object.entries(values).map(([name, value]) => {
        assert.isTrue(isCheap(value))
        const other = forGradient(value, inputs.offset)
        assert.notStrictEqual(other.dataId, value.dataId)
        return [`${name} again`, other]
      })
      return { ...values, ...Object.fromEntries(again) } as Inputs
    })
    for (const name of ["normalised", "rectified", "activated"])
      assert.deepStrictEqual(result[`${name} again`].data, result[name].data, name)
  })
)

it.effect("a ReLU of what is kept is kept in its place", () =>
  evaluate({ x: random(5, [4]) }, ({ x }) => {
    const value = relu(x)
    assert.isFalse(isCheap(value))
    return { value }
  })
)

it.effect("of a chain of sums every second is kept, and the others have the same bits again", () =>
  Effect.gen(function* () {
    const shape = [2, 4, 4, channels]
    const result = yield* evaluate(
      { ...normalisation, x: random(11, shape), branch: random(12, shape) },
      (inputs) => {
        const residual = fused(inputs, inputs.branch as tf.Tensor4D)
        const sums = [inputs.x as tf.Tensor4D]
        for (let i = 0; i < 4; i++) sums.push(addResidual(sums[i], residual))
        assert.deepStrictEqual(sums.map(isCheap), [false, true, false, true, false])
        const plain = addResidual(sums[0], inputs.branch as tf.Tensor4D)
        assert.isFalse(isCheap(plain))
        const again = sums.map((sum, i) => [`again ${i}`, forGradient(sum, inputs.offset)])
        return { ...Object.fromEntries([...sums.entries()]), ...Object.fromEntries(again) } as Inputs
      }
    )
    for (let i = 0; i <= 4; i++) assert.deepStrictEqual(result[`again ${i}`].data, result[i].data)
  })
)

/** The same in tfjs's own ops, of which nothing is computed again. */
const composed = ({ offset, scale }: Inputs, x: tf.Tensor4D): tf.Tensor4D => {
  const { mean, variance } = tf.moments(x, [0, 1, 2])
  return tf.batchNorm(
    x,
    mean as tf.Tensor1D,
    variance as tf.Tensor1D,
    offset as tf.Tensor1D,
    scale as tf.Tensor1D,
    EPSILON
  )
}

const composedGelu = (x: tf.Tensor4D): tf.Tensor4D =>
  tf.mul(x, tf.mul(0.5, tf.add(1, tf.erf(tf.mul(x, Math.SQRT1_2)))))

interface Ops {
  readonly normalise: typeof fused
  readonly relu: (x: tf.Tensor4D) => tf.Tensor4D
  readonly gelu: (x: tf.Tensor4D) => tf.Tensor4D
  readonly pool: (x: tf.Tensor4D) => tf.Tensor4D
  readonly conv: (x: tf.Tensor4D, kernel: tf.Tensor) => tf.Tensor4D
  readonly add: (x: tf.Tensor4D, y: tf.Tensor4D) => tf.Tensor4D
}

/** Values that two convolutions take, pooled ones, a GELU of what is kept, and a chain of residual blocks. */
const network = ({ add, conv, gelu, normalise, pool, relu }: Ops, inputs: Inputs): tf.Scalar => {
  const x = inputs.x as tf.Tensor4D
  const activated = relu(normalise(inputs, x))
  const branch = conv(gelu(normalise(inputs, conv(activated, inputs.first))), inputs.second)
  const joined = gelu(pool(relu(normalise(inputs, add(conv(activated, inputs.shortcut), branch)))))
  let chain = joined
  for (let block = 0; block < 4; block++) {
    chain = add(chain, normalise(inputs, conv(normalise(inputs, chain), inputs.first)))
  }
  return tf.mean(tf.square(conv(gelu(chain), inputs.last)))
}

it.effect("gradients are those of the same composition in which everything is kept", () =>
  Effect.gen(function* () {
    const kernel = (seed: number) => random(seed, [3, 3, channels, channels], 0, 0.2)
    const host = {
      ...normalisation,
      x: random(6, [4, 6, 6, channels], 1, 2),
      ...{ first: kernel(7), second: kernel(8), shortcut: kernel(9), last: kernel(10) }
    }
    const trained = ["x", "scale", "offset", "first", "second", "shortcut", "last"]
    const gradients = (ops: Ops) =>
      evaluate(host, (inputs) => {
        const parameters = Object.fromEntries(trained.map((name) => [name, inputs[name]]))
        const { gradients, loss } = valueAndGradients(
          () => ({ loss: network(ops, inputs), auxiliary: {} }),
          parameters
        )
        return { ...gradients, loss } as Inputs
      })
    const ours = yield* gradients({
      normalise: fused,
      pool: (x) => maxPool(x, [2, 2], 2, "VALID"),
      ...{ relu, gelu, add: addResidual, conv: (x, kernel) => conv2d(x, kernel as tf.Tensor4D, 1, 1) }
    })
    const expected = yield* gradients({
      normalise: composed,
      pool: (x) => tf.maxPool(x, 2, 2, "valid"),
      relu: (x) => tf.relu(x),
      gelu: composedGelu,
      add: (x, y) => tf.add(x, y),
      conv: (x, kernel) => tf.conv2d(x, kernel as tf.Tensor4D, 1, "same")
    })
    for (const name of [...trained, "loss"])
      assert.isBelow(euclidean(ours[name], expected[name]), 1e-4 * norm([expected[name]]), name)
  })
)
