/**
 * Collective operations: each replica runs the same program on a part of the images, and what they compute meets here
 * (all-reduce, all-gather, broadcast). TensorFlow carries it out; the replicas trace the same operations in the same
 * order, by which each knows its partners.
 */

import * as tf from "@tensorflow/tfjs-core"
import { casting, int, string, type } from "../Device/Graph/Attributes.ts"
import type { Attribute, GraphTensor, Input, Operation } from "../Device/Graph/Types.ts"
import { TF } from "../Device/Library/DataType.ts"
import { recorder } from "../Device/Trace/Recorder.ts"
import type { Tensors } from "./Gradients.ts"

/** The replicas of a program, and which of them this one is. */
export interface Replicas {
  readonly index: number
  readonly count: number
}

/** Bytes from which a bucket of tensors is full: it is reduced while later ones are computed. */
const BUCKET = 4 * 2 ** 20

const GROUP = 1

/** Number of collective operations that a replica has traced in this process: each has a key of its own. */
const traced = new Map<number, number>()

const nextKey = ({ index }: Replicas): number => {
  const key = (traced.get(index) ?? 0) + 1
  traced.set(index, key)
  return key
}

/** The last one on a GPU: NCCL wants them to start in the same order everywhere. */
const last = new WeakMap<object, Operation>()

const integer = (value: number): GraphTensor => recorder().outputOf(tf.scalar(value, "int32"))

const vector = (values: ReadonlyArray<number>): GraphTensor =>
  recorder().outputOf(tf.tensor1d([...values], "int32"))

/** Adds a collective operation of a group; `before` and `after` are its inputs beside the group's numbers. */
const collective = (
  name: string,
  replicas: Replicas,
  {
    attributes,
    inputs,
    rest = []
  }: {
    readonly inputs: ReadonlyArray<Input>
    readonly rest?: ReadonlyArray<Input>
    readonly attributes: ReadonlyArray<Attribute>
  }
): GraphTensor => {
  const active = recorder()
  const numbers = [replicas.count, GROUP, nextKey(replicas)].map(integer)
  const before = active.placement === "Gpu" ? last.get(active) : undefined
  const controls = before === undefined ? [] : [before]
  const added = active.add(name, [...inputs, ...numbers, ...rest], attributes, controls)
  last.set(active, added)
  return added.outputs[0]
}

const reshaped = (value: GraphTensor, dtype: number, shape: ReadonlyArray<number>): GraphTensor =>
  recorder().add("Reshape", [value, vector(shape)], [type("T", dtype), type("Tshape", TF.INT32)], [])
    .outputs[0]

const cast = (value: GraphTensor, from: number, to: number): GraphTensor =>
  recorder().add("Cast", [value], casting(from, to), []).outputs[0]

/** Tensors as one flat one, and the way back. */
const flattened = (tensors: ReadonlyArray<tf.Tensor>) => {
  const { add, outputOf, tensorOf } = recorder()
  const flat = tensors.map((tensor) => reshaped(outputOf(tensor), TF.FLOAT, [-1]))
  const [T, axis] = [type("T", TF.FLOAT), type("Tidx", TF.INT32)]
  const joined =
    flat.length === 1
      ? flat[0]
      : add("ConcatV2", [flat, integer(0)], [T, int("N", flat.length), axis], []).outputs[0]
  const split = (value: GraphTensor): ReadonlyArray<tf.Tensor> => {
    const sizes = vector(tensors.map(({ size }) => size))
    const attributes = [T, type("Tlen", TF.INT32), int("num_split", tensors.length)]
    const parts = add("SplitV", [value, sizes, integer(0)], attributes, []).outputs
    return parts.map((part, i) => tensorOf(reshaped(part, TF.FLOAT, tensors[i].shape)))
  }
  return { joined, split }
}

/** Names in buckets of about `BUCKET` bytes, in the order in which they are given. */
const bucketsOf = (tensors: Tensors): ReadonlyArray<ReadonlyArray<string>> => {
  const buckets: Array<Array<string>> = []
  let room = 0
  for (const [name, { size }] of Object.entries(tensors)) {
    if (room <= 0) {
      buckets.push([])
      room = BUCKET
    }
    buckets[buckets.length - 1].push(name)
    room -= 4 * size
  }
  return buckets
}

/** By bucket: what `change` makes of the flat tensor, as tensors by the names and in the order that were given. */
const inBuckets = (tensors: Tensors, change: (flat: GraphTensor) => GraphTensor): Tensors => {
  const changed: Record<string, tf.Tensor> = {}
  for (const bucket of bucketsOf(tensors)) {
    const { joined, split } = flattened(bucket.map((name) => tensors[name]))
    const parts = split(change(joined))
    bucket.forEach((name, i) => {
      changed[name] = parts[i]
    })
  }
  return changed
}

const sumOf = (value: GraphTensor, dtype: number, replicas: Replicas): GraphTensor =>
  collective("CollectiveReduceV2", replicas, {
    inputs: [value],
    // Nothing that orders operations beside control edges.
    rest: [[]],
    attributes: [type("T", dtype), string("merge_op", "Add"), string("final_op", "Id")]
  })

export interface ReduceOptions {
  /** What tensors are sent as; float32 unless given. */
  readonly as?: "float32" | "bfloat16" | undefined
}

/**
 * The mean over replicas of float32 tensors, by their names. They are sent in few flat buckets, in the order in which
 * they are given: that in which they are computed lets sending and computing overlap.
 */
export const meanOverReplicas = (
  tensors: Tensors,
  replicas: Replicas,
  { as = "float32" }: ReduceOptions = {}
): Tensors =>
  inBuckets(tensors, (flat) => {
    const { outputOf, tensorOf } = recorder()
    const sum =
      as === "float32"
        ? sumOf(flat, TF.FLOAT, replicas)
        : cast(sumOf(cast(flat, TF.FLOAT, TF.BFLOAT16), TF.BFLOAT16, replicas), TF.BFLOAT16, TF.FLOAT)
    return outputOf(tf.div(tensorOf(sum), replicas.count))
  })

/** The sum over replicas of a vector. */
export const sumOverReplicas = (x: tf.Tensor, replicas: Replicas): tf.Tensor =>
  recorder().tensorOf(sumOf(recorder().outputOf(x), TF.FLOAT, replicas))

/** The vectors [n] of all replicas, in their order: [count,n]. */
export const gathered = (x: tf.Tensor, replicas: Replicas): tf.Tensor => {
  const { outputOf, tensorOf } = recorder()
  const all = collective("CollectiveGatherV2", replicas, {
    inputs: [reshaped(outputOf(x), TF.FLOAT, [1, x.size])],
    rest: [[]],
    attributes: [type("T", TF.FLOAT)]
  })
  return tensorOf(reshaped(all, TF.FLOAT, [replicas.count, x.size]))
}

/** The first replica's tensors, by their names, on all of them. */
export const fromFirst = (tensors: Tensors, replicas: Replicas): Tensors =>
  inBuckets(tensors, (flat) => {
    const size = flat.shape?.[0] ?? 0
    const T = type("T", TF.FLOAT)
    const value =
      replicas.index === 0
        ? collective("CollectiveBcastSendV2", replicas, { inputs: [flat], attributes: [T] })
        : collective("CollectiveBcastRecvV2", replicas, {
            inputs: [],
            rest: [vector([size])],
            attributes: [T, type("Tshape", TF.INT32)]
          })
    return reshaped(value, TF.FLOAT, [size])
  })
