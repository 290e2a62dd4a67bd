/** `shakedrop setup`: bring libtensorflow into the user's cache. */
import * as Console from "effect/Console"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { progressLine } from "./Shared/ProgressLine.ts"

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0)

const setupShowing = Effect.fnUntraced(function* (gpu: boolean) {
  const { setup } = yield* Effect.promise(() => import("../Device/Setup.ts"))
  let doing = ""
  const line = yield* progressLine(
    (done, total) =>
      `${doing}: ${megabytes(done)} of ${megabytes(total)} MB (${Math.floor((100 * done) / total)} %)`
  )
  const onProgress = (what: string, done: number, total: number) => {
    doing = what
    line(done, total)
  }
  return yield* setup({ gpu, onProgress })
}, Effect.scoped)

export const setupCommand = Command.make(
  "setup",
  {
    gpu: Flag.Boolean("gpu").pipe(
      Flag.withDescription("Bring the build for NVIDIA GPUs with its CUDA 12 libraries (3 GB of downloads)"),
      Flag.withDefault(false)
    )
  },
  Effect.fn("setup")(function* ({ gpu }) {
    const { file, fresh } = yield* setupShowing(gpu)
    yield* Console.log(`libtensorflow ${fresh ? "is ready" : "was set up before"}: ${file}`)
  })
).pipe(Command.withDescription("Bring libtensorflow into the cache; a second run does nothing"))
