/** tfjs with tfjs-node's kernels, on a binding to TensorFlow that is given in place of tfjs-node's native one. */
import { createRequire } from "node:module"
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

type Tfjs = typeof import("@tensorflow/tfjs-core")

export interface LoadedTfjs {
  /** The same module instance that programs import. */
  readonly tf: Tfjs
  readonly backend: NodeBackend
  /** What the kernels are registered for. */
  readonly name: string
}

/** What scripts/bundle-kernels.mjs makes of tfjs-node-gpu: its backend, its kernels, and tfjs's gradients. */
interface Kernels {
  readonly NodeJSKernelBackend: new (binding: object, name: string) => NodeBackend
  /** A name that no other backend has, nor that of another copy of this package. */
  readonly BACKEND: string
  /** Registers the kernels for `BACKEND`. */
  readonly registerKernels: () => void
}

/** From TypeScript sources the bundle of the build is taken. */
const BUNDLE = import.meta.url.endsWith(".ts") ? "../../../dist/Device/Trace/kernels.cjs" : "./kernels.cjs"

/** Loads tfjs, makes a backend on the binding and registers its kernels. For once in a process. */
export const loadTfjs = (binding: object): LoadedTfjs => {
  const require = createRequire(import.meta.url)
  const tf = require("@tensorflow/tfjs-core") as Tfjs
  const { BACKEND, NodeJSKernelBackend, registerKernels } = require(BUNDLE) as Kernels
  const backend = new NodeJSKernelBackend(binding, "shakedrop")
  registerKernels()
  return { tf, backend, name: BACKEND }
}

/** The backend that tfjs computes with, in fields of its engine that its declarations keep private. */
interface ActiveBackend {
  backendName: unknown
  backendInstance: unknown
  profiler: unknown
}

/**
 * Runs `f` with the recording backend as tfjs's global backend, and puts tfjs's registry and choice back as they
 * were, also where the host had chosen no backend yet. `tf.setBackend` cannot put back "none".
 */
export const withBackend = <A>({ tf, backend, name }: LoadedTfjs, f: () => A): A => {
  const engine = tf.engine()
  const active = engine as unknown as ActiveBackend
  const { backendName, backendInstance, profiler } = active
  engine.registryFactory[name] = { factory: () => backend, priority: 0 }
  engine.registry[name] = backend
  try {
    tf.setBackend(name)
    return f()
  } finally {
    delete engine.registry[name]
    delete engine.registryFactory[name]
    Object.assign(active, { backendName, backendInstance, profiler })
  }
}
