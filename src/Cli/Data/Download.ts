/**
 * `shakedrop data download`: fetch an official archive.
 */
import * as Console from "effect/Console"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { DOWNLOADED } from "../../Config/Data.ts"
import { optional, withShownDefault } from "../Shared/Flags.ts"
import { writtenTo } from "../Shared/Paths.ts"

export const downloadCommand = Command.make(
  "download",
  {
    dataset: Argument.Literals("dataset", DOWNLOADED).pipe(Argument.withDescription("Which data set")),
    directory: writtenTo("data-dir", "folder").pipe(
      Flag.withAlias("to"),
      withShownDefault("Folder to put the archive into", "data")
    ),
    mirror: optional(
      Flag.String("mirror"),
      "Address of a folder that has the same archive, instead of the official one"
    )
  },
  Effect.fn("data download")(function* ({ dataset, directory, mirror }) {
    const { downloadCifar } = yield* Effect.promise(() => import("../../Data/Download.ts"))
    const file = yield* downloadCifar(dataset, directory, { mirror: Option.getOrUndefined(mirror) })
    yield* Console.log(`${file} is complete; use it with --dataset ${dataset} --data-dir ${directory}`)
  })
).pipe(
  Command.withDescription("Fetch CIFAR-10 or CIFAR-100; goes on with a download that was interrupted"),
  Command.withExamples([
    {
      command: "shakedrop data download cifar10 --data-dir data",
      description: "CIFAR-10, into the folder data"
    }
  ])
)
