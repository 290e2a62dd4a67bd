import * as Schema from "effect/Schema"
import { withDefault } from "../../Config/Fields.ts"
import { fill } from "../Policy/Fields.ts"
import { LevelledPolicy } from "../Policy/LevelledPolicy.ts"
import { examplesOf, POLICY_NAMES, perform, policyFor } from "../Policy/Policy.ts"
import { defineStep } from "./Step.ts"

/** Pictures of sub-policies in a preview. */
const SUB_POLICIES = 25

/**
 * Does a sub-policy, drawn for each image: Cubuk et al., "AutoAugment", CVPR 2019, as in torchvision. The policy is
 * one of those published, by its name, or sub-policies one by one.
 */
export const AutoAugment = defineStep({
  name: "AutoAugment",
  on: "image",
  fields: {
    policy: Schema.Union([Schema.Literals(POLICY_NAMES), LevelledPolicy]).pipe(withDefault("cifar10")),
    fill
  },
  compile: ({ fill, policy: source }, { size, trace }) => {
    const policy = policyFor(source, size)
    return (canvas, random) => {
      for (const operation of policy[random.int(policy.length)]) {
        if (random.uniform() < operation.probability) perform(canvas, operation, random, fill, trace)
      }
    }
  },
  describe: ({ fill, policy }, { size, trace }) =>
    examplesOf(policyFor(policy, size).slice(0, SUB_POLICIES), fill, trace)
})
