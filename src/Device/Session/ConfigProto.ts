/** TensorFlow's `ConfigProto` for a session, encoded by hand: the few fields that are needed are a few tags. */
import * as Schema from "effect/Schema"
import { bytes, number } from "../Graph/Protobuf.ts"
import type { Placement, Precision } from "../Graph/Types.ts"

const NAME = /^(auto|cpu|gpu|gpu:\d+)$/

/** What a user asks for: the best there is, the CPU, or one GPU by its number (`gpu` is `gpu:0`). */
export const DeviceName = Schema.String.pipe(
  Schema.check(
    Schema.isPattern(NAME, {
      message: "a device is auto, cpu, gpu or gpu:N (N from 0)"
    })
  ),
  Schema.refine((name): name is "auto" | "cpu" | "gpu" | `gpu:${number}` => NAME.test(name))
)
export type DeviceName = typeof DeviceName.Type

/** How a program is computed. */
export interface Arithmetic {
  readonly precision: Precision
  /**
   * Whether XLA makes few kernels of the many operations of a program for a GPU: a run takes about half the time,
   * the first run of an entry point much longer.
   */
  readonly xla?: boolean
}

/** An entry of `device_count` (field 1): at most `count` devices of a kind. */
const deviceCount = (kind: string, count: number): Uint8Array => bytes(1, [bytes(1, kind), number(2, count)])

/** `gpu_options` (field 6): one visible device (5), memory taken as it is needed (4). */
const gpuOptions = (index: number): Uint8Array => bytes(6, [number(4, 1), bytes(5, String(index))])

/**
 * `rewrite_options` (10). `arithmetic_optimization` (7) is off (2): it makes one AddN of several sums, which adds first
 * what happens to be in memory that it may reuse by then, so that the last bits would change from run to run.
 * `memory_optimization` (4) is none (1), and all others go over the graph once (12: 1): traced programs leave them
 * nothing for a second time, and a long graph waits for them.
 * `auto_mixed_precision_onednn_bfloat16` (31) is on (1) where it is asked for, on a CPU.
 */
const rewriting = (placement: Placement, precision: Precision): Uint8Array => {
  const mixed = placement._tag === "Cpu" && precision === "bfloat16"
  return bytes(10, [number(4, 1), number(7, 2), number(12, 1), ...(mixed ? [number(31, 1)] : [])])
}

/** `optimizer_options` (3): the `global_jit_level` (5) is on for all that XLA can take (2), or as it is by default. */
const compiling = (xla: boolean): Uint8Array => (xla ? bytes(3, [number(5, 2)]) : new Uint8Array())

export const encodeConfig = (
  placement: Placement,
  { precision, xla = false }: Arithmetic = { precision: "float32" }
): Uint8Array =>
  Buffer.concat([
    placement._tag === "Cpu" ? deviceCount("GPU", 0) : gpuOptions(placement.index),
    // graph_options
    bytes(10, [compiling(xla && placement._tag === "Gpu"), rewriting(placement, precision)])
  ])
