/** What a training needs in memory at the least, before any of it is taken. */
import * as Effect from "effect/Effect"
import type { Experiment } from "../../Config.ts"
import type { Network } from "../../Model/Network.ts"
import { gigabytes, memoryHere } from "../../Platform/Memory.ts"
import { Registry } from "../../Registry.ts"
import { sizeOf } from "../../Tensor/HostTensor.ts"
import { averagesOf } from "../Averages/Averages.ts"
import { optimizerOf } from "../Optimizer/Optimizer.ts"
import { RunError } from "../Run/RunError.ts"

/** Elements that the attention of one block keeps of an image: how much each patch heeds each other. */
const attention = ({ patches }: Network): number =>
  patches === undefined ? 0 : (patches.height * patches.width + 1) ** 2

/**
 * Fails where the weights and their start, gradients, averages and the optimiser's state alone, or a vision
 * transformer's attention, are more than the memory there is.
 */
export const checkMemory = Effect.fnUntraced(function* (
  { model, train }: Pick<Experiment, "model" | "train">,
  network: Network,
  memory = memoryHere()
) {
  const { optimizers } = yield* Registry
  const { slots } = optimizerOf(train, optimizers)
  const whole = 1 + averagesOf(train).length
  const values = network.tensors.reduce((sum, { kind, role, shape }) => {
    const copies = role === "parameter" ? whole + 1 + slots(kind).length : whole
    return sum + copies * sizeOf(shape)
  }, 0)
  const { batchSize, gradientAccumulationSteps } = train
  const needed = 4 * (values + (batchSize / gradientAccumulationSteps) * attention(network))
  if (needed <= memory) return
  return yield* new RunError({
    reason: "TooLarge",
    message: `the ${model._tag} has ${network.parameters.toLocaleString("en-GB")} parameters, and training it takes at least ${gigabytes(needed)} of memory: there are ${gigabytes(memory)}`
  })
})
