import { positive, probability, withDefault } from "../../Config/Fields.ts"
import type { Draws } from "../../Random.ts"
import { drawMixup, mixingOf } from "../Kernel/Mix.ts"
import { defineStep } from "./Step.ts"

/** Blends each image of a batch with another one: λ ~ Beta(α, α), for a share `p` of the batches. */
export const Mixup = defineStep({
  name: "Mixup",
  on: "batch",
  fields: { alpha: positive.pipe(withDefault(1)), p: probability.pipe(withDefault(1)) },
  compile:
    ({ alpha, p }, { size }) =>
    (random) =>
      random.uniform() < p ? mixingOf(drawMixup(alpha, random), size) : undefined,
  describe: ({ alpha }, { size }) => [(random: Draws) => mixingOf(drawMixup(alpha, random), size)]
})
