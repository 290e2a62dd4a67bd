/** Values of tests that nobody chose. */
import { draws } from "../../src/Random.ts"
import { float32, type HostTensor, sizeOf } from "../../src/Tensor/HostTensor.ts"

/** Normal draws of a stream, one stream of its own for each seed and name. */
export const normals = (
  seed: number,
  stream: string,
  shape: ReadonlyArray<number>,
  mean = 0,
  deviation = 1
): HostTensor<"float32"> => {
  const { normal } = draws(seed, stream)
  return float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => mean + deviation * normal())
  )
}
