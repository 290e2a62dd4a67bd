/**
 * ShakeDrop regularisation of a residual branch: Yamada, Iwamura, Akiba, Kise, "ShakeDrop Regularization for
 * Deep Residual Learning", 2018 (arXiv:1802.02375), eq. 6.
 */
import * as tf from "@tensorflow/tfjs-core"
import * as Schema from "effect/Schema"
import { probability, withDefault } from "../../Config/Fields.ts"
import { randomUniform } from "../../Ops/Random.ts"
import { addResidual, cheap, isCheap } from "../../Ops/Recompute/Rematerialise.ts"
import type { Mode } from "../Layer/Layer.ts"

/** Bounds of a uniform distribution. */
export type Range = readonly [low: number, high: number]

/** Where α (forward) and β (backward) are drawn from, uniformly and independently for each sample. */
export interface ShakeRanges {
  readonly alpha: Range
  readonly beta: Range
}

/** The ranges that the paper found best, and those of the CIFAR Challenge Series. */
export const SHAKE_RANGES = {
  paper: { alpha: [-1, 1], beta: [0, 1] },
  series: { alpha: [-1, 1], beta: [-1, 1] }
} as const satisfies Record<string, ShakeRanges>

const Bounds = Schema.Tuple([Schema.Finite, Schema.Finite])

/** ShakeDrop in a network's configuration. */
export const ShakeDropConfig = Schema.Struct({
  /** Probability that the last block's residual passes unchanged; it falls linearly from 1 to this. */
  survival: probability.pipe(withDefault(0.5)),
  /** Where α and β are drawn from: a preset by name, or bounds. */
  ranges: Schema.Union([
    Schema.Literals(["paper", "series"]),
    Schema.Struct({ alpha: Bounds, beta: Bounds })
  ]).pipe(withDefault("paper")),
  /**
   * What one draw of the gate b is for: a whole batch, as in the authors' implementation, or each of its samples, as in
   * the CIFAR Challenge Series.
   */
  gate: Schema.Literals(["batch", "sample"]).pipe(withDefault("sample"))
})
export type ShakeDropConfig = typeof ShakeDropConfig.Type

/** ShakeDrop of one block. */
export interface ShakeDropOptions extends ShakeRanges {
  /** Probability that this block's residual passes unchanged. */
  readonly survival: number
  /** What one draw of the gate is for. */
  readonly gate: ShakeDropConfig["gate"]
}

/** What was drawn for each sample; all of shape [N]. */
export interface ShakeDraw {
  /** 1 where the residual passes unchanged, else 0. */
  readonly gate: tf.Tensor1D
  readonly alpha: tf.Tensor1D
  readonly beta: tf.Tensor1D
}

/** Survival probability of block `index` (from 1) of `total`: falls linearly from 1 to `last` (eq. 5). */
export const survivalAt = (last: number, index: number, total: number): number =>
  1 - (index / total) * (1 - last)

/** ShakeDrop of block `index` (from 1) of `total`, where a network has it. */
export const shakeDropAt = (
  config: ShakeDropConfig | undefined,
  index: number,
  total: number
): ShakeDropOptions | undefined =>
  config && {
    ...(typeof config.ranges === "string" ? SHAKE_RANGES[config.ranges] : config.ranges),
    survival: survivalAt(config.survival, index, total),
    gate: config.gate
  }

/** b + a − b·a for each sample, as [N,1,1,1]: exactly 1 where the gate b is open, a where it is shut. */
const factor = (gate: tf.Tensor1D, a: tf.Tensor1D): tf.Tensor4D =>
  tf.reshape(tf.where(tf.greater(gate, 0.5), tf.onesLike(a), a), [-1, 1, 1, 1])

/**
 * x + (b + α − bα)·r in the forward pass, while the gradient that reaches r is (b + β − bβ)·dy.
 * x, residual [N,H,W,C].
 */
export const shake = (
  x: tf.Tensor4D,
  residual: tf.Tensor4D,
  { alpha, beta, gate }: ShakeDraw
): tf.Tensor4D => {
  const forward = factor(gate, alpha)
  const backward = factor(gate, beta)
  const product = tf.customGrad((...args) => {
    const [branch, save] = args as unknown as [tf.Tensor4D, tf.GradSaveFunc]
    save([backward])
    return { value: tf.mul(branch, forward), gradFunc: (dy, [backward]) => tf.mul(dy, backward) }
  })(residual) as tf.Tensor4D
  const again = (...factors: Array<tf.Tensor>): tf.Tensor => tf.mul(factors[0], factors[1])
  return addResidual(x, isCheap(residual) ? cheap(product, [residual, forward], again) : product)
}

const uniform = (u: tf.Tensor, [low, high]: Range): tf.Tensor1D =>
  tf.add(tf.mul(u, high - low), low) as tf.Tensor1D

/** What evaluation multiplies a residual with: p + (1 − p)·E[α], where p is the block's survival; 1 without ShakeDrop. */
export const expectation = (options: ShakeDropOptions | undefined): number => {
  if (options === undefined) return 1
  const { alpha, survival } = options
  return survival + ((1 - survival) * (alpha[0] + alpha[1])) / 2
}

/**
 * Joins a residual branch to its shortcut. Training draws α and β for each sample, and the gate as `gate` says, keyed by
 * `name`; evaluation scales the branch by its expectation. x, residual [N,H,W,C]; `survival` is this block's own.
 */
export const shakeDrop = (
  name: string,
  x: tf.Tensor4D,
  residual: tf.Tensor4D,
  options: ShakeDropOptions,
  mode: Mode
): tf.Tensor4D => {
  if (mode._tag === "Evaluation") return tf.add(x, tf.mul(residual, expectation(options)))
  const { alpha, beta, survival } = options
  const draw = (site: string) => randomUniform(mode.key, `${name}/${site}`, [x.shape[0]])
  // Parts of one batch draw the same number.
  const drawOne = (site: string) =>
    tf.tile(randomUniform({ seed: mode.key.seed, step: mode.key.step }, `${name}/${site}`, [1]), [x.shape[0]])
  const u = options.gate === "batch" ? drawOne("gate") : draw("gate")
  return shake(x, residual, {
    gate: tf.floor(tf.add(u, survival)) as tf.Tensor1D,
    alpha: uniform(draw("alpha"), alpha),
    beta: uniform(draw("beta"), beta)
  })
}

/** The end of a residual block: ShakeDrop where there are options for it, else a plain sum. */
export const join = (
  name: string,
  x: tf.Tensor4D,
  residual: tf.Tensor4D,
  options: ShakeDropOptions | undefined,
  mode: Mode
): tf.Tensor4D =>
  options === undefined ? addResidual(x, residual) : shakeDrop(name, x, residual, options, mode)
