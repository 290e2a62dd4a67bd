/** What replicas tell each other besides gradients: sums of numbers, and the first one's state. */
import * as Effect from "effect/Effect"
import { type DeviceError, entryPoint } from "../../Device.ts"
import { fromFirst, type Replicas, sumOverReplicas } from "../../Ops/Collective.ts"
import { float32, type HostTensor } from "../../Tensor/HostTensor.ts"
import { isAccumulated } from "./Accumulate.ts"
import { SEED } from "./EntryPoints.ts"

/** Numbers in one run of the program. */
const CHUNK = 65_536

/** Entry points that only several replicas have. */
export const exchangeEntries = (replicas: Replicas) => ({
  sum: entryPoint({
    inputs: { values: { dtype: "float32", shape: [CHUNK] } },
    collective: true,
    run: (_, { values }) => ({ output: { sum: sumOverReplicas(values, replicas) } })
  }),
  adopt: entryPoint({
    inputs: {},
    collective: true,
    run: (state) => {
      const kept = Object.entries(state).filter(([name]) => name !== SEED && !isAccumulated(name))
      return { state: fromFirst(Object.fromEntries(kept), replicas), output: {} }
    }
  })
})

type Run = (
  name: "sum",
  input: { readonly values: HostTensor }
) => Effect.Effect<{ readonly sum: HostTensor }, DeviceError>

/** The sum of values over all replicas, by such a program. */
export const sumIn = (run: Run) =>
  Effect.fnUntraced(function* (values: Float32Array) {
    const total = new Float32Array(values.length)
    for (let from = 0; from < values.length; from += CHUNK) {
      const chunk = new Float32Array(CHUNK)
      chunk.set(values.subarray(from, from + CHUNK))
      const { sum } = yield* run("sum", { values: float32([CHUNK], chunk) })
      total.set((sum.data as Float32Array).subarray(0, values.length - from), from)
    }
    return total
  })
