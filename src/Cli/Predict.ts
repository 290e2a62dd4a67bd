/** `shakedrop predict`: what a run's network sees in images, or the logits of any network for tensors. */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { flags } from "./Predict/Flags.ts"

export const predictCommand = Command.make(
  "predict",
  flags,
  Effect.fn("predict command")(function* (input) {
    const { runPredict } = yield* Effect.promise(() => import("./Predict/RunPredict.ts"))
    yield* runPredict(input)
  })
).pipe(
  Command.withDescription("Classify images with a run's network: a line of JSON for each"),
  Command.withExamples([
    {
      command: "shakedrop predict runs/quickstart photos --top 3",
      description: "The three most likely classes of every image in a folder"
    },
    {
      command: `shakedrop predict --model '{"_tag":"WideResNet","depth":16,"widenFactor":1,"classes":100}' --weights F.safetensors --input X.safetensors --out Y.safetensors`,
      description: "Logits of a network with weights from PyTorch, for images that are tensors"
    }
  ])
)
