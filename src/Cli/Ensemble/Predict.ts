/** `shakedrop ensemble predict`: what an ensemble sees in images. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { deviceFlag } from "../Shared/Flags.ts"
import { checkAllRead, fullFlag, imageFiles, printPredictions, topFlag } from "../Shared/Predictions.ts"

export const predictEnsembleCommand = Command.make(
  "predict",
  {
    file: Argument.String("file").pipe(Argument.withDescription("JSON file with the ensemble")),
    images: Argument.String("images").pipe(
      Argument.withDescription("Image files, and folders whose images are all taken"),
      Argument.variadic({ min: 1 })
    ),
    top: topFlag,
    full: fullFlag,
    device: deviceFlag
  },
  Effect.fn("ensemble predict")(function* ({ device, file, full, images, top }) {
    const { Dataset } = yield* Effect.promise(() => import("../../Data.ts"))
    const { Device } = yield* Effect.promise(() => import("../../Device.ts"))
    const { decodeEnsemble, openEnsemble, predictEnsemble, sourcesOf } = yield* Effect.promise(
      () => import("../../Ensemble.ts")
    )
    const { readJson } = yield* Effect.promise(() => import("../../Platform/Files.ts"))
    const { openRun } = yield* Effect.promise(() => import("../../Train.ts"))
    const config = yield* decodeEnsemble(yield* readJson(file))
    const [first] = sourcesOf(config.members[0])
    const { dataset } = yield* openRun(first.run).config
    const ensemble = yield* openEnsemble(config, dataset)
    const files = yield* imageFiles(images)
    const predict = predictEnsemble(ensemble, files).pipe(Effect.provide(Device.layer(device)))
    // Only a soup, whose batch statistics are measured anew, takes the data set.
    const takesData = config.members.some((member) => "soup" in member)
    const result = yield* takesData ? Effect.provide(predict, Dataset.layer(config.data)) : predict
    yield* printPredictions(result, dataset.classes, { top, full })
    yield* checkAllRead(result.unreadable.length, files.length)
  })
).pipe(
  Command.withDescription("Classify images with an ensemble: a line of JSON for each"),
  Command.withExamples([
    {
      command: "shakedrop ensemble predict five.json photos --top 3",
      description: "The three most likely classes of every image in a folder"
    }
  ])
)
