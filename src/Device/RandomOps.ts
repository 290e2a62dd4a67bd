/** Random draws inside traced programs. */
import * as tf from "@tensorflow/tfjs-core"
import { hash32 } from "../Random.ts"
import { TF } from "./Graph.ts"
import { recorder } from "./Recorder.ts"

/** What a random draw inside a program depends on: with the site's name, nothing else. */
export interface RandomKey {
  readonly seed: number
  /** int32 scalar */
  readonly step: tf.Scalar
}

/**
 * Uniform numbers in [0, 1) from TensorFlow's counter-based generator, keyed by (seed, step, site): a resumed
 * run draws what the uninterrupted one would have drawn.
 */
export const randomUniform = (key: RandomKey, site: string, shape: ReadonlyArray<number>): tf.Tensor => {
  const siteKey = (hash32(site) ^ Math.imul(key.seed, 0x9e3779b1)) | 0
  const seed = tf.stack([tf.scalar(siteKey, "int32"), key.step])
  return recorder().record(
    "StatelessRandomUniform",
    [tf.tensor1d([...shape], "int32"), seed],
    [
      { kind: "type", name: "dtype", value: TF.FLOAT },
      { kind: "type", name: "T", value: TF.INT32 },
      { kind: "type", name: "Tseed", value: TF.INT32 }
    ]
  )[0]
}
