import { bins, fill } from "../Policy/Fields.ts"
import { trivialAugmentWideTable } from "../Policy/Magnitude.ts"
import { examplesAt, perform } from "../Policy/Policy.ts"
import { defineStep } from "./Step.ts"

/** Does one operation at a random magnitude: Müller and Hutter, "TrivialAugment", ICCV 2021, as in torchvision. */
export const TrivialAugmentWide = defineStep({
  name: "TrivialAugmentWide",
  on: "image",
  fields: { bins, fill },
  compile: ({ bins, fill }, { trace }) => {
    const operations = [...trivialAugmentWideTable(bins)].map(([operation, { signed, values }]) =>
      values.map((magnitude) => ({ operation, magnitude, signed }))
    )
    return (canvas, random) => {
      const levels = operations[random.int(operations.length)]
      perform(canvas, levels[random.int(levels.length)], random, fill, trace)
    }
  },
  describe: ({ bins, fill }, { trace }) => examplesAt(trivialAugmentWideTable(bins), bins - 1, fill, trace)
})
