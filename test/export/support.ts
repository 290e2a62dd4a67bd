/** Networks that are exported, and what our own program says of the same images. */
import * as Effect from "effect/Effect"
import { Device } from "../../src/Device.ts"
import { type ModelConfig, makeNetwork } from "../../src/Model.ts"
import type { Served } from "../../src/Predict.ts"
import { draws } from "../../src/Random.ts"
import { float32, type TensorRecord, uint8 } from "../../src/Tensor/HostTensor.ts"
import { softmax } from "../../src/Train/Evaluate/Measures.ts"
import { evaluationEntry } from "../../src/Train/Step/EntryPoints.ts"
import { smallNetworks } from "../support/Networks.ts"
import { onCpu } from "../support/OnCpu.ts"

export const size = { height: 13, width: 12 }
export const classes = ["a", "b", "c", "d", "e"]

/** More images than the graph was traced for. */
export const count = 5
export const images = uint8(
  [count, size.height, size.width, 3],
  Uint8Array.from({ length: count * size.height * size.width * 3 }, (_, i) => (i * 2654435761) >>> 24)
)

/** Weights that no initialiser would leave, so that every one of them matters. */
const disturbed = (weights: TensorRecord): TensorRecord =>
  Object.fromEntries(
    Object.entries(weights).map(([name, { data, shape }]) => {
      const random = draws(1, name)
      const values = Float32Array.from(data, (value) => value + 0.1 * (random.uniform() - 0.5))
      return [name, float32(shape, values)]
    })
  )

export const serve = (config: ModelConfig): Served => {
  const network = makeNetwork(config, { classes: classes.length, size })
  return {
    ...{ config, network, weights: disturbed(network.init(1)), classes, size },
    ...{ mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3], skipped: [] }
  }
}

/** What our own program gives. */
export const expectedOf = (served: Served) =>
  Effect.gen(function* () {
    const device = yield* Device
    const program = yield* device.compile(served.weights, {
      evaluate: evaluationEntry(served.network, { ...served, batchSize: count })
    })
    const { logits } = yield* program.run("evaluate", { images })
    const probabilities = new Float32Array(logits.data.length)
    for (let i = 0; i < count; i++) {
      const row = (logits.data as Float32Array).subarray(i * classes.length, (i + 1) * classes.length)
      probabilities.set(softmax(row, new Float64Array(classes.length)), i * classes.length)
    }
    return { logits, probabilities: float32(logits.shape, probabilities) }
  }).pipe(onCpu)

export const networks = smallNetworks.map((config) => [serve(config).network.name, serve(config)] as const)
