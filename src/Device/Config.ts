/** TensorFlow's `ConfigProto` for a session, encoded by hand: the three fields that are needed are three tags. */

/** Which devices a session may use. */
export type Placement = { readonly _tag: "Cpu" } | { readonly _tag: "Gpu"; readonly index: number }

const varint = (field: number, value: number): Uint8Array => Uint8Array.of(field << 3, value)

const bytes = (field: number, contents: Uint8Array): Uint8Array =>
  Buffer.concat([Uint8Array.of((field << 3) | 2, contents.length), contents])

/** An entry of `device_count` (field 1): at most `count` devices of a kind. */
const deviceCount = (kind: string, count: number): Uint8Array =>
  bytes(1, Buffer.concat([bytes(1, Buffer.from(kind)), varint(2, count)]))

/** `gpu_options` (field 6): one visible device (5), memory taken as it is needed (4). */
const gpuOptions = (index: number): Uint8Array =>
  bytes(6, Buffer.concat([varint(4, 1), bytes(5, Buffer.from(String(index)))]))

export const encodeConfig = (placement: Placement): Uint8Array =>
  placement._tag === "Cpu" ? deviceCount("GPU", 0) : gpuOptions(placement.index)
