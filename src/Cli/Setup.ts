/** `shakedrop setup`: bring libtensorflow into the user's cache. */
import * as Console from "effect/Console"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"

export const setupCommand = Command.make(
  "setup",
  {
    gpu: Flag.Boolean("gpu").pipe(
      Flag.withDescription("Bring the build for NVIDIA GPUs with its CUDA 12 libraries (3 GB of downloads)"),
      Flag.withDefault(false)
    )
  },
  Effect.fn("setup")(function* ({ gpu }) {
    const { setup } = yield* Effect.promise(() => import("../Device/Setup.ts"))
    const { file, fresh } = yield* setup({ gpu })
    yield* Console.log(`libtensorflow ${fresh ? "is ready" : "was set up before"}: ${file}`)
  })
).pipe(
  Command.withDescription("Bring libtensorflow into the cache; a second run does nothing"),
  Command.withExamples([{ command: "shakedrop setup", description: "The build for CPUs" }])
)
