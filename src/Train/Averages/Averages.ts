/** The weights that a run may keep of its network: as they are trained, and averages of them. */
import type { TrainConfig, WeightsName } from "../../Config.ts"
import { averageOf } from "./Ema.ts"
import { swaOf } from "./Swa.ts"

/** Where one of the network's tensors is kept in the state. */
export const keptAs = (weights: WeightsName, tensor: string): string => {
  switch (weights) {
    case "raw":
      return tensor
    case "ema":
      return averageOf(tensor)
    case "swa":
      return swaOf(tensor)
  }
}

/** What a run keeps. */
export const weightsKept = ({ ema, swa }: TrainConfig): ReadonlyArray<WeightsName> => [
  "raw",
  ...(ema === undefined ? [] : (["ema"] as const)),
  ...(swa === undefined ? [] : (["swa"] as const))
]

/** Which weights are judged and kept as the best: averages where there are any. */
export const judged = (train: TrainConfig): WeightsName => weightsKept(train).at(-1)!
