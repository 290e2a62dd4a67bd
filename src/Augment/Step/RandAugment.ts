import { atLeast, repeats, withDefault } from "../../Config/Fields.ts"
import { bins, fill } from "../Policy/Fields.ts"
import { randAugmentTable } from "../Policy/Magnitude.ts"
import { examplesAt, perform } from "../Policy/Policy.ts"
import { defineStep } from "./Step.ts"

/** Does `n` operations, all at magnitude `m` of `bins`: Cubuk et al., "RandAugment", 2019, as in torchvision. */
export const RandAugment = defineStep({
  name: "RandAugment",
  on: "image",
  fields: { n: repeats.pipe(withDefault(2)), m: atLeast(0).pipe(withDefault(9)), bins, fill },
  check: ({ bins, m }) =>
    m < bins ? undefined : { path: ["m"], issue: `expected a magnitude below the ${bins} bins` },
  compile: ({ bins, fill, m, n }, { size, trace }) => {
    const operations = [...randAugmentTable(size, bins)].map(([operation, { signed, values }]) => ({
      operation,
      magnitude: values.length === 1 ? 0 : values[m],
      signed
    }))
    return (canvas, random) => {
      for (let i = 0; i < n; i++) {
        perform(canvas, operations[random.int(operations.length)], random, fill, trace)
      }
    }
  },
  describe: ({ bins, fill, m }, { size, trace }) => examplesAt(randAugmentTable(size, bins), m, fill, trace)
})
