/** The network that came out of a run, with what it has to be given and what it says. */
import * as Effect from "effect/Effect"
import type { PerChannel } from "../Data.ts"
import type { Size } from "../Model/Layer/Layer.ts"
import type { Network } from "../Model/Network.ts"
import type { ModelConfig } from "../Model.ts"
import type { TensorRecord } from "../Tensor/HostTensor.ts"
import { readTrained, type WeightsChoice } from "../Train/Start/Trained.ts"

export interface Served {
  readonly config: ModelConfig
  readonly network: Network
  /** By the network's own names, in device layouts. */
  readonly weights: TensorRecord
  /** What each logit stands for; `class N` where the network has more of them than the data. */
  readonly classes: ReadonlyArray<string>
  readonly size: Size
  /** Of the channels, for pixels in [0, 1]. */
  readonly mean: PerChannel
  readonly std: PerChannel
  /** A line for each damaged checkpoint that was passed over for this one. */
  readonly skipped: ReadonlyArray<string>
}

/**
 * The network of a run with the weights that its result is about: the best ones, or the newest where none were
 * selected; averages where the run has them; or with those of another choice.
 */
export const servedNetwork = Effect.fn("servedNetwork")(function* (
  directory: string,
  choice: WeightsChoice = {}
) {
  const { dataset, experiment, network, skipped, weights } = yield* readTrained(directory, choice)
  const { mean, size, std } = dataset
  return {
    config: experiment.model,
    network,
    weights,
    classes: Array.from({ length: network.classes }, (_, k) => dataset.classes[k] ?? `class ${k}`),
    size,
    mean,
    std,
    skipped
  } satisfies Served
})
