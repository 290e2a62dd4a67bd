/**
 * Alignment: what the width of a vector asks of feature maps. Between layers a map carries channels of zeros after its
 * own, up to a multiple of eight, since with a whole number of vectors in each pixel oneDNN normalises it up to nine
 * times as fast. Weights have no such channels where they are stored and trained; layers pad them when they are applied.
 * Nothing of this is seen by a network: it counts its own channels only.
 */
import * as tf from "@tensorflow/tfjs-core"
import { cheap } from "./Recompute/Rematerialise.ts"

/** Channels that a feature map of so many is given. */
export const aligned = (channels: number): number => 8 * Math.ceil(channels / 8)

/** Zeros after a tensor's own values, up to the given sizes. */
export const padTo = <T extends tf.Tensor>(x: T, shape: ReadonlyArray<number>): T =>
  x.shape.every((size, i) => size === shape[i])
    ? x
    : (tf.pad(
        x,
        x.shape.map((size, i): [number, number] => [0, shape[i] - size])
      ) as T)

/** A feature map with zeros after its own channels, as many as a map of `channels` channels has altogether. */
export const padChannels = (x: tf.Tensor4D, channels: number): tf.Tensor4D => {
  const pad = (x: tf.Tensor): tf.Tensor => padTo(x, [...x.shape.slice(0, 3), aligned(channels)])
  const value = pad(x) as tf.Tensor4D
  return value === x ? x : cheap(value, [x], pad)
}

/** The first `channels` places of the last axis, without those that it is padded with. Any shape. */
export const ownChannels = <T extends tf.Tensor>(x: T, channels: number): T => {
  const before = x.shape.slice(0, -1)
  return x.shape[before.length] === channels
    ? x
    : tf.slice(x, [...before.map(() => 0), 0], [...before.map(() => -1), channels])
}

/**
 * Whether a map of so many channels can hold ones in the last of those that it is padded with. A normalisation before a
 * convolution can be folded into it if its input has ones: the zeros around an image are not normalised, so that what
 * a normalisation adds has to end where the image ends. The ones do, and are given the weights that add it.
 */
export const hasOnes = (channels: number): boolean => channels < aligned(channels)

/** What is added to a map of `out` channels, of which `inputs` came from one with ones, so that they are in its last channel. */
export const movedOnes = (
  { from, to }: { readonly from: boolean; readonly to: boolean },
  inputs: number,
  out: number
): Float32Array => {
  const change = new Float32Array(aligned(out))
  if (from) change[aligned(inputs) - 1] -= 1
  if (to) change[aligned(out) - 1] += 1
  return change
}
