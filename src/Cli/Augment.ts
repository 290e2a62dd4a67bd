/** `shakedrop augment`: look at what a pipeline does. */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { flags } from "./Augment/Flags.ts"

const previewCommand = Command.make(
  "preview",
  flags,
  Effect.fn("augment preview")(function* (input) {
    const { runPreview } = yield* Effect.promise(() => import("./Augment/RunPreview.ts"))
    yield* runPreview(input)
  })
).pipe(
  Command.withDescription(
    "Write a contact sheet: an image, each step and sub-policy of a pipeline on it, and mixed images"
  ),
  Command.withExamples([
    {
      command: "shakedrop augment preview --recipe part2-augmentation",
      description: "The pipeline of a recipe on an image that is drawn in code"
    }
  ])
)

export const augmentCommand = Command.make("augment").pipe(
  Command.withDescription("Look at what augmentation does"),
  Command.withExamples([
    { command: "shakedrop augment preview", description: "The steps that are used most" }
  ]),
  Command.withSubcommands([previewCommand])
)
