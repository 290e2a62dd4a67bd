import * as Schema from "effect/Schema"
import { positive, probability, withDefault } from "../../Config/Fields.ts"
import { erase } from "../Kernel/Erase.ts"
import { defineStep } from "./Step.ts"

/** Least and greatest of something, in order. */
const range = (value: Schema.Codec<number>) =>
  Schema.Tuple([value, value]).check(
    Schema.makeFilter(([low, high]) =>
      low <= high ? undefined : "expected the least value before the greatest"
    )
  )

/**
 * Hides a box of random size, shape and place with probability `p`: Zhong et al., "Random erasing data
 * augmentation", AAAI 2020, with torchvision's defaults. What is hidden gets the mean colour, as in `Cutout`, or
 * random values.
 */
export const RandomErasing = defineStep({
  name: "RandomErasing",
  on: "image",
  fields: {
    p: probability.pipe(withDefault(0.5)),
    scale: range(probability).pipe(withDefault([0.02, 0.33])),
    ratio: range(positive).pipe(withDefault([0.3, 3.3])),
    value: Schema.Literals(["mean", "random"]).pipe(withDefault("mean"))
  },
  compile: (options, { mean }) => {
    const { p, value } = options
    const colour = value === "mean" ? mean : undefined
    return (canvas, random) => {
      if (random.uniform() < p) erase(canvas, options, random, colour)
    }
  }
})
