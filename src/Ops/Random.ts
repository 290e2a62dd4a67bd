/** Random draws inside traced programs. */
import * as tf from "@tensorflow/tfjs-core"
import { FLOAT, type } from "../Device/Graph/Attributes.ts"
import { TF } from "../Device/Library/DataType.ts"
import { recorder } from "../Device/Trace/Recorder.ts"
import { hash32 } from "../Random.ts"

/** What a random draw inside a program depends on: with the site's name, nothing else. */
export interface RandomKey {
  /** An integer, or where it is not to be a part of the program what `spread` makes of it (int32 scalar). */
  readonly seed: number | tf.Scalar
  /** int32 scalar */
  readonly step: tf.Scalar
  /** Where only a part of a batch is there: which one (int32 scalar, from 0), of how many. */
  readonly part?: { readonly index: tf.Scalar; readonly of: number }
}

/** A seed as 32 bits that differ from those of other seeds in many places: multiplied with 2³²/φ (Knuth). */
export const spread = (seed: number): number => Math.imul(seed, 0x9e3779b1)

/** What tells one place of one seed's draws from all others, int32. */
const siteKeyOf = (seed: RandomKey["seed"], site: string): tf.Tensor => {
  const own = hash32(site)
  if (typeof seed === "number") return tf.scalar((own ^ spread(seed)) | 0, "int32")
  return recorder().record("BitwiseXor", [tf.scalar(own | 0, "int32"), seed], [type("T", TF.INT32)])[0]
}

const SEEDED = [type("dtype", TF.FLOAT), type("T", TF.INT32), type("Tseed", TF.INT32)]

/** The rows of the `index`-th part of x, which has as many rows as `shape` says. */
const partOf = (x: tf.Tensor, index: tf.Scalar, shape: ReadonlyArray<number>): tf.Tensor => {
  const zeros = shape.slice(1).map(() => tf.scalar(0, "int32"))
  const begin = tf.stack([tf.mul(index, tf.scalar(shape[0], "int32")), ...zeros])
  const size = tf.tensor1d([...shape], "int32")
  return recorder().record("Slice", [x, begin, size], [FLOAT, type("Index", TF.INT32)])[0]
}

/**
 * Uniform numbers in [0, 1) from TensorFlow's counter-based generator, keyed by (seed, step, site): a resumed
 * run draws what the uninterrupted one would have drawn. The first axis is that of the batch's images: those of a
 * part get what they would get in the whole batch.
 */
export const randomUniform = (key: RandomKey, site: string, shape: ReadonlyArray<number>): tf.Tensor => {
  const seed = tf.stack([siteKeyOf(key.seed, site), key.step])
  const { part } = key
  const whole = part === undefined ? shape : [shape[0] * part.of, ...shape.slice(1)]
  const numbers = tf.tensor1d([...whole], "int32")
  const [drawn] = recorder().record("StatelessRandomUniform", [numbers, seed], SEEDED)
  return part === undefined ? drawn : partOf(drawn, part.index, shape)
}
