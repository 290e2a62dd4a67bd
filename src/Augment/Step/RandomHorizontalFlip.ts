import { probability, withDefault } from "../../Config/Fields.ts"
import { flipHorizontally } from "../Kernel/Crop.ts"
import { defineStep } from "./Step.ts"

/** Mirrors left to right with probability `p`. */
export const RandomHorizontalFlip = defineStep({
  name: "RandomHorizontalFlip",
  on: "image",
  fields: { p: probability.pipe(withDefault(0.5)) },
  compile:
    ({ p }) =>
    (canvas, random) => {
      if (random.uniform() < p) flipHorizontally(canvas)
    }
})
