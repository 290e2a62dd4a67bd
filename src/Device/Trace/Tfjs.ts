/** tfjs with tfjs-node's kernels, on a binding to TensorFlow that is given in place of tfjs-node's native one. */
import { createRequire, Module } from "node:module"
import type { DataId, KernelBackend, Tensor, TensorInfo } from "@tensorflow/tfjs-core"
import { TF } from "../Library/DataType.ts"

export interface TensorMetadata {
  readonly id: number
  readonly shape: ReadonlyArray<number>
  readonly dtype: number
}

/** The parts of tfjs-node's backend that are used here. */
export interface NodeBackend extends KernelBackend {
  readonly tensorMap: { get(dataId: DataId): { id: number; values: unknown } }
  createOutputTensor(metadata: TensorMetadata): Tensor
  getInputTensorIds(tensors: ReadonlyArray<TensorInfo>): Array<number>
}

/** Names by which the kernels ask a binding for TensorFlow's data types. */
export const BINDING_TYPES = {
  TF_FLOAT: TF.FLOAT,
  TF_INT32: TF.INT32,
  TF_INT64: TF.INT64,
  TF_BOOL: TF.BOOL,
  TF_COMPLEX64: TF.COMPLEX64,
  TF_STRING: TF.STRING,
  TF_RESOURCE: TF.RESOURCE,
  TF_UINT8: TF.UINT8
} as const

/** What the kernels are registered for. */
export const BACKEND = "tensorflow"

type Tfjs = typeof import("@tensorflow/tfjs-core")

export interface LoadedTfjs {
  /** The same module instance that programs import. */
  readonly tf: Tfjs
  readonly backend: NodeBackend
}

/** What the tfjs package loads besides its core, and neither its gradients nor the kernels use. */
const UNUSED = ["layers", "converter", "data", "backend-cpu", "backend-webgl"]

/**
 * Calls `load` with those packages as empty modules, unless they have been loaded before, which spares the time and the
 * memory that they take. Who asks for them or for tfjs later gets them as ever.
 */
const withoutUnused = <A>(require: NodeJS.Require, load: () => A): A => {
  const tfjs = require.resolve("@tensorflow/tfjs")
  if (require.cache[tfjs] !== undefined) return load()
  const files = UNUSED.map((name) => createRequire(tfjs).resolve(`@tensorflow/tfjs-${name}`))
  const empty = files.filter((file) => require.cache[file] === undefined)
  for (const file of empty) require.cache[file] = Object.assign(new Module(file), { loaded: true })
  try {
    return load()
  } finally {
    for (const file of [tfjs, ...empty]) delete require.cache[file]
  }
}

/** Loads tfjs and registers a backend on the binding. For once in a process. */
export const loadTfjs = (binding: object): LoadedTfjs => {
  const require = createRequire(import.meta.url)
  // tfjs-node-gpu 4.22 calls two functions of which Node 22 warns its users, and which Node 23 removed.
  const util = require("node:util") as Record<string, unknown>
  util.isNullOrUndefined = (value: unknown) => value === null || value === undefined
  util.isArray = Array.isArray
  const tf = require("@tensorflow/tfjs-core") as Tfjs
  const kernels = createRequire(require.resolve("@tensorflow/tfjs-node-gpu/dist/register_all_kernels.js"))
  return withoutUnused(kernels, () => {
    const { NodeJSKernelBackend } = kernels("./nodejs_kernel_backend.js") as {
      NodeJSKernelBackend: new (binding: object, name: string) => NodeBackend
    }
    const backend = new NodeJSKernelBackend(binding, "shakedrop")
    tf.registerBackend(BACKEND, () => backend, 0)
    kernels("./register_all_kernels.js")
    return { tf, backend }
  })
}
