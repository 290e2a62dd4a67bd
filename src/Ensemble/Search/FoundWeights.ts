/** Weights of an ensemble's members, found on images that neither trained nor test it. */
import { accuracyOf, type Outputs } from "../Combine.ts"
import { negativeLogLikelihood } from "./Temperature.ts"

/** Weights with what the whole reaches with them on the images that they were found on. */
export interface FoundWeights {
  /** Of each member, with a sum of 1. */
  readonly weights: ReadonlyArray<number>
  readonly accuracy: number
  /** Mean cross entropy (nats) of the scores. */
  readonly loss: number
}

export type Reached = Pick<FoundWeights, "accuracy" | "loss">

/** What scores reach against the labels. */
export const reached = (scores: Outputs, labels: ArrayLike<number>): Reached => ({
  accuracy: accuracyOf(scores, labels),
  loss: negativeLogLikelihood(scores, labels)
})
