import { positive, probability, withDefault } from "../../Config/Fields.ts"
import type { Draws } from "../../Random.ts"
import { drawCutMix, mixingOf } from "../Kernel/Mix.ts"
import { defineStep } from "./Step.ts"

/** Puts a box of another image into each image of a batch: λ ~ Beta(α, α), for a share `p` of the batches. */
export const CutMix = defineStep({
  name: "CutMix",
  on: "batch",
  fields: { alpha: positive.pipe(withDefault(1)), p: probability.pipe(withDefault(1)) },
  compile:
    ({ alpha, p }, { size }) =>
    (random) =>
      random.uniform() < p ? mixingOf(drawCutMix(alpha, random, size.height, size.width), size) : undefined,
  describe: ({ alpha }, { size }) => [
    (random: Draws) => mixingOf(drawCutMix(alpha, random, size.height, size.width), size)
  ]
})
