/** Steps for measurements: of black images, and without a trace in the state. */
import * as Effect from "effect/Effect"
import type { BatchArrays } from "../../Augment.ts"
import type { TrainConfig } from "../../Config.ts"
import type { DeviceError } from "../../Device.ts"
import { coefficientsAt } from "../Averages/Averages.ts"
import type { Images } from "../Step/EntryPoints.ts"
import type { StepInput, TrainingProgram } from "../Step/TrainingProgram.ts"

/** Lets `use` take steps with a batch. The state is as before afterwards. */
export const onTrial = Effect.fnUntraced(function* <A, E>(
  program: TrainingProgram,
  { size }: Images,
  train: TrainConfig,
  use: (batch: BatchArrays, at: StepInput) => Effect.Effect<A, E>
): Effect.fn.Return<A, E | DeviceError> {
  const { batchSize } = train
  const batch = {
    images: new Uint8Array(batchSize * size.height * size.width * 3),
    labelsA: new Int32Array(batchSize),
    labelsB: new Int32Array(batchSize),
    lambda: new Float32Array(batchSize).fill(1)
  }
  const before = yield* program.read
  const coefficients = coefficientsAt(train, { step: 0, stepsPerEpoch: 1, steps: 1 })
  const result = yield* use(batch, { step: 0, learningRate: 0, coefficients, scale: 1 })
  yield* program.write(before)
  return result
})
