import { positive, probability, withDefault } from "../../Config/Fields.ts"
import { drawCutMix, drawMixup, mixingOf } from "../Kernel/Mix.ts"
import { type DrawMixing, defineStep } from "./Step.ts"

/** Does Mixup or CutMix, drawn for each batch; `switchProb` is the probability of CutMix, `p` that of either. */
export const MixupCutMix = defineStep({
  name: "MixupCutMix",
  on: "batch",
  fields: {
    mixupAlpha: positive.pipe(withDefault(1)),
    cutMixAlpha: positive.pipe(withDefault(1)),
    switchProb: probability.pipe(withDefault(0.5)),
    p: probability.pipe(withDefault(1))
  },
  compile:
    ({ cutMixAlpha, mixupAlpha, p, switchProb }, { size }) =>
    (random) => {
      if (random.uniform() >= p) return undefined
      return random.uniform() < switchProb
        ? mixingOf(drawCutMix(cutMixAlpha, random, size.height, size.width), size)
        : mixingOf(drawMixup(mixupAlpha, random), size)
    },
  describe: ({ cutMixAlpha, mixupAlpha }, { size }): ReadonlyArray<DrawMixing> => [
    (random) => mixingOf(drawMixup(mixupAlpha, random), size),
    (random) => mixingOf(drawCutMix(cutMixAlpha, random, size.height, size.width), size)
  ]
})
