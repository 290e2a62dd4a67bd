/** Trial steps: training steps on black images, for measurements, after which the state is as it was before. */
import * as Effect from "effect/Effect"
import type { BatchArrays } from "../../Augment.ts"
import type { TrainConfig } from "../../Config.ts"
import type { DeviceError } from "../../Device.ts"
import { coefficientsAt } from "../Averages/Averages.ts"
import type { Images } from "../Step/EntryPoints.ts"
import type { StepInput, TrainingProgram } from "../Step/TrainingProgram.ts"

/** Lets `use` take steps with a batch. Whether it succeeds, fails or is interrupted, the state is put back. */
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
  const coefficients = coefficientsAt(train, { step: 0, stepsPerEpoch: 1, steps: 1 })
  return yield* Effect.acquireUseRelease(
    program.read,
    () => use(batch, { step: 0, learningRate: 0, coefficients, scale: 1 }),
    (before) => program.write(before)
  )
})
