/** Which precision a run computes in. Where its experiment asks for the fastest that is measured, never told by a name. */
import * as Effect from "effect/Effect"
import type { Experiment } from "../../Config.ts"
import type { Device, Precision } from "../../Device.ts"
import { message } from "../../Events.ts"
import type { CompileOptions } from "../Step/Entries.ts"
import { compileTraining } from "../Step/TrainingProgram.ts"
import { measureSpeed } from "./Forecast.ts"

/** That of a run, whose own configuration always names one. */
export const precisionOf = ({ train: { precision } }: Experiment): Precision =>
  precision === "fastest" ? "float32" : precision

export const withPrecision = (experiment: Experiment, precision: Precision): Experiment => ({
  ...experiment,
  train: { ...experiment.train, precision }
})

type Compile = Omit<CompileOptions, "precision">

/** Times steps in both precisions, each in a program of its own. */
const fastest = Effect.fnUntraced(function* (
  device: Device["Service"],
  compile: Compile
): Effect.fn.Return<Precision, Effect.Error<ReturnType<typeof compileTraining>>> {
  const speedIn = (precision: Precision) =>
    compileTraining(device, { ...compile, precision }).pipe(
      Effect.flatMap((program) => measureSpeed(program, compile.images, compile.train)),
      Effect.scoped
    )
  const float32 = yield* speedIn("float32")
  const bfloat16 = yield* speedIn("bfloat16").pipe(
    Effect.catchTag("DeviceUnavailable", () => Effect.succeed(undefined))
  )
  if (bfloat16 === undefined) {
    yield* message("in float32: this device has no bfloat16")
    return "float32"
  }
  const precision = bfloat16 > float32 ? "bfloat16" : "float32"
  yield* message(
    `in ${precision}: ${Math.round(bfloat16)} images/s in bfloat16, ${Math.round(float32)} in float32`
  )
  return precision
})

/** The precision of a run: as asked for, or as measured. */
export const precisionFor = Effect.fn("precisionFor")(function* (
  asked: Experiment,
  options: {
    readonly device: Device["Service"]
    readonly compile: Compile
  }
) {
  if (asked.train.precision !== "fastest") return asked.train.precision
  const { compile, device } = options
  return yield* fastest(device, compile)
})
