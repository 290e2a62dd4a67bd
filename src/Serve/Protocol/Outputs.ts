/** What a network says of images, as clients ask for it. */

import { softmax } from "../../Train/Evaluate/Measures.ts"
import type { Network } from "../Model/Network.ts"

export type OutputName = "logits" | "probabilities"

/** What a network can say: an ensemble's scores are probabilities, and come from no logits. */
export const outputNames = ({ says }: Pick<Network, "says">): ReadonlyArray<OutputName> =>
  says === "logits" ? ["logits", "probabilities"] : ["probabilities"]

/** Probabilities [images,classes] with all their digits. */
export const probabilitiesOf = ({ classes, says }: Pick<Network, "classes" | "says">, rows: Float32Array) => {
  const probabilities = Float64Array.from(rows)
  if (says === "scores") return probabilities
  for (let at = 0; at < rows.length; at += classes.length) {
    softmax(rows.subarray(at, at + classes.length), probabilities.subarray(at, at + classes.length))
  }
  return probabilities
}

/** An output [images,classes] as float32. */
export const outputOf = (
  network: Pick<Network, "classes" | "says">,
  name: OutputName,
  rows: Float32Array
): Float32Array => (name === "logits" ? rows : Float32Array.from(probabilitiesOf(network, rows)))

export interface ClassProbability {
  readonly class: string
  readonly probability: number
}

/** Of each image the classes, likeliest first; of equal ones the first. */
export const likeliest = (
  network: Pick<Network, "classes" | "says">,
  rows: Float32Array,
  top = network.classes.length
): ReadonlyArray<ReadonlyArray<ClassProbability>> => {
  const { classes } = network
  const all = probabilitiesOf(network, rows)
  return Array.from({ length: rows.length / classes.length }, (_, image) => {
    const row = all.subarray(image * classes.length, (image + 1) * classes.length)
    const order = Array.from(row.keys()).sort((a, b) => row[b] - row[a])
    return order.slice(0, top).map((k) => ({ class: classes[k], probability: row[k] }))
  })
}
