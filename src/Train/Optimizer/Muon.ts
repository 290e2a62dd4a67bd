/**
 * Muon (Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"): momentum whose update is made
 * nearly orthogonal. In the form in which the author's airbench trains convolutions: each filter bank, as a matrix
 * [out, in·height·width], is scaled to a norm of √out before each step, so that weight decay has no place in it.
 */
import * as tf from "@tensorflow/tfjs-core"
import * as Schema from "effect/Schema"
import { positive, repeats, share, withDefault } from "../../Config/Fields.ts"
import { halfSquaredNorm } from "../../Ops/Loss.ts"
import { defineOptimizer, type Updated } from "./Define.ts"
import { MOMENTUM, sgd, sgdFields } from "./Sgd.ts"

/** Coefficients of the iteration x ← ax + bx³ + cx⁵: steep at zero, and from there to about 1 in few steps. */
const [A, B, C] = [3.4445, -4.775, 2.0315]

const normOf = (x: tf.Tensor): tf.Scalar => tf.sqrt(tf.mul(2, halfSquaredNorm(x)))

/**
 * The nearest orthogonal matrix, roughly: UVᵀ of x = USVᵀ with singular values between about 0.7 and 1.2, by a
 * Newton–Schulz iteration of fifth order. x [rows, columns].
 */
export const orthogonalise = (x: tf.Tensor2D, steps: number): tf.Tensor2D => {
  const [rows, columns] = x.shape
  // The products are taken on the shorter side; they are symmetric.
  const wide = rows < columns
  let value = tf.div<tf.Tensor2D>(x, tf.add(normOf(x), 1e-7))
  for (let step = 0; step < steps; step++) {
    const gram = tf.matMul(value, value, !wide, wide)
    const polynomial = tf.add<tf.Tensor2D>(tf.mul(B, gram), tf.mul(C, tf.matMul(gram, gram)))
    const product = wide ? tf.matMul(polynomial, value) : tf.matMul(value, polynomial)
    value = tf.add(tf.mul(A, value), product)
  }
  return value
}

interface MuonOptions {
  readonly momentum: number
  readonly nsSteps: number
}

/**
 * One step of one filter bank [height, width, in, out], with Nesterov momentum. The bank is taken as its transpose
 * [height·width·in, out]: what is orthogonal that way is so the other way, and the order of rows does not matter.
 */
const muonStep = (
  parameter: tf.Tensor,
  momentum: tf.Tensor,
  gradient: tf.Tensor,
  learningRate: tf.Tensor,
  options: MuonOptions
): Updated => {
  const out = parameter.shape[parameter.rank - 1]
  const moved = tf.add(tf.mul(momentum, options.momentum), gradient)
  const direction = tf.add(gradient, tf.mul(moved, options.momentum))
  const update = orthogonalise(tf.reshape(direction, [-1, out]), options.nsSteps)
  const scaled = tf.mul(parameter, tf.div(Math.sqrt(out), normOf(parameter)))
  return {
    parameter: tf.sub(scaled, tf.mul(learningRate, tf.reshape(update, parameter.shape))),
    slots: { [MOMENTUM]: moved }
  }
}

/** Muon for the kernels of convolutions, SGD for the rest. Both follow the same schedule. */
export const Muon = defineOptimizer({
  name: "Muon",
  fields: {
    /** The highest learning rate of convolutions. */
    learningRate: positive,
    momentum: share.pipe(withDefault(0.6)),
    /** Newton–Schulz iterations. */
    nsSteps: repeats.pipe(withDefault(5)),
    /** How the rest is trained. */
    sgd: Schema.Struct(sgdFields).pipe(withDefault({}))
  },
  make: (options, { learningRate }) => {
    const rest = sgd(options.sgd)
    const rate = options.learningRate / learningRate
    return {
      slots: () => [MOMENTUM],
      update: (parameter, gradient, slots, at) =>
        at.kind === "conv"
          ? muonStep(parameter, slots[MOMENTUM], gradient, tf.mul(at.learningRate, rate), options)
          : rest.update(parameter, gradient, slots, at)
    }
  }
})
