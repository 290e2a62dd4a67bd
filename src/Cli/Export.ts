/** `shakedrop export`: a run's network as files for other programs. */
import { statSync } from "node:fs"
import * as path from "node:path"
import * as Console from "effect/Console"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Comparison, ExportFormat, InputForm } from "../Export.ts"
import { checkpointFlag, tellSkipped } from "./Shared/Checkpoints.ts"
import { optional } from "./Shared/Flags.ts"
import { writtenTo } from "./Shared/Paths.ts"
import { checkAllRead, imageFiles } from "./Shared/Predictions.ts"

/** Where a format goes in the run's folder. */
const NAMES = {
  safetensors: "model.safetensors",
  onnx: "model.onnx",
  transformers: "transformers",
  savedmodel: "savedmodel",
  tfjs: "tfjs"
} as const

/** What a comparison says, in a line. */
const difference = ({ images, largest, logits, probabilities, sameClass }: Comparison): string =>
  `${images} images: logits, which go up to ${largest.toPrecision(3)}, are ${logits.toPrecision(2)} apart at most, probabilities ${probabilities.toPrecision(2)}; the likeliest class is the same for ${sameClass}`

/** Where an ensemble's graph goes: beside its file. */
const besideFile = (file: string, format: ExportFormat): string => {
  const { dir, name } = path.parse(file)
  return path.join(dir, format === "onnx" ? `${name}.onnx` : `${name}-${NAMES[format]}`)
}

/** Exports the ensemble in a file. Only a soup, whose batch statistics are measured anew, takes the data set. */
const exportEnsembleFile = Effect.fnUntraced(function* (
  file: string,
  format: ExportFormat,
  target: string,
  input: InputForm | undefined
) {
  const { ExportError, exportEnsemble } = yield* Effect.promise(() => import("../Export.ts"))
  if (format === "safetensors" || format === "transformers") {
    return yield* new ExportError({
      reason: "Ensemble",
      message: `an ensemble is exported as a graph, as onnx, savedmodel or tfjs, not as ${format}`
    })
  }
  const { Dataset } = yield* Effect.promise(() => import("../Data.ts"))
  const { Device } = yield* Effect.promise(() => import("../Device.ts"))
  const { decodeEnsemble, openEnsemble, sourcesOf } = yield* Effect.promise(() => import("../Ensemble.ts"))
  const { readJson } = yield* Effect.promise(() => import("../Platform/Files.ts"))
  const { openRun } = yield* Effect.promise(() => import("../Train.ts"))
  const config = yield* decodeEnsemble(yield* readJson(file))
  const [first] = sourcesOf(config.members[0])
  const { dataset } = yield* openRun(first.run).config
  const ensemble = yield* openEnsemble(config, dataset)
  const write = exportEnsemble(ensemble, format, target, { input }).pipe(Effect.provide(Device.layer("cpu")))
  const takesData = config.members.some((member) => "soup" in member)
  yield* takesData ? Effect.provide(write, Dataset.layer(config.data)) : write
  yield* Console.log(`${config.name}  ${path.resolve(target)}`)
})

const isFile = (given: string): boolean => statSync(given, { throwIfNoEntry: false })?.isFile() === true

export const exportCommand = Command.make(
  "export",
  {
    run: Argument.String("run").pipe(
      Argument.withDescription("The run's folder, or the JSON file of an ensemble")
    ),
    format: Flag.Literals("format", ["safetensors", "onnx", "transformers", "savedmodel", "tfjs"]).pipe(
      Flag.withDescription(
        "safetensors for PyTorch, onnx for onnxruntime and others, transformers for transformers.js and model hubs, savedmodel for TensorFlow and its server, tfjs for TensorFlow.js"
      )
    ),
    input: Flag.Literals("input", ["nhwc", "nchw", "normalized"]).pipe(
      Flag.withDescription(
        "What a graph takes: pixels [N,H,W,3] (nhwc, unless given) or [N,3,H,W], or normalised floats [N,3,H,W]"
      ),
      Flag.optional
    ),
    out: writtenTo("out", "file or folder").pipe(
      Flag.withDescription("File (safetensors, onnx) or folder; in the run's folder unless given"),
      Flag.optional
    ),
    checkpoint: checkpointFlag,
    check: optional(
      Flag.String("check"),
      "Images on which the export is run beside the network; the largest difference is told"
    )
  },
  Effect.fn("export command")(function* ({ check, checkpoint, format, input, out, run }) {
    const { checkExport, ExportError, exportNetwork, readFacts } = yield* Effect.promise(
      () => import("../Export.ts")
    )
    const { servedNetwork } = yield* Effect.promise(() => import("../Predict.ts"))
    const form = Option.getOrUndefined(input)
    if (isFile(run)) {
      const unused = [Option.isSome(check) && "--check", Option.isSome(checkpoint) && "--checkpoint"]
      const given = unused.find((flag) => flag !== false)
      if (given !== undefined) {
        return yield* new ExportError({
          reason: "Ensemble",
          message: `${given} is for a run, not for an ensemble`
        })
      }
      const target = Option.getOrElse(out, () => besideFile(run, format))
      return yield* exportEnsembleFile(run, format, target, form)
    }
    const files = Option.isSome(check) ? yield* imageFiles([check.value]) : []
    const target = Option.getOrElse(out, () => path.join(run, NAMES[format]))
    const served = yield* servedNetwork(run, { checkpoint: Option.getOrUndefined(checkpoint) })
    yield* tellSkipped(served.skipped)
    // A run's result is about the weights that are taken unless others are asked for.
    const facts = format === "transformers" ? yield* readFacts(run, Option.isNone(checkpoint)) : undefined
    yield* exportNetwork(served, format, target, { facts, input: form })
    yield* Console.log(`${served.network.name}  ${path.resolve(target)}`)
    if (files.length === 0) return
    const { Device } = yield* Effect.promise(() => import("../Device.ts"))
    const compared = yield* checkExport(served, format, target, { files, input: form }).pipe(
      Effect.provide(Device.layer("cpu"))
    )
    yield* Console.log(difference(compared))
    yield* checkAllRead(compared.unreadable, files.length)
  })
).pipe(
  Command.withDescription(
    "Write a run's network, or an ensemble as one graph, for PyTorch, onnxruntime, transformers.js, TensorFlow or TensorFlow.js"
  ),
  Command.withExamples([
    {
      command: "shakedrop export runs/quickstart --format safetensors",
      description: "runs/quickstart/model.safetensors, with PyTorch's names"
    },
    {
      command: "shakedrop export runs/quickstart --format onnx --check photos",
      description: "runs/quickstart/model.onnx, run beside the network on every image in a folder"
    },
    {
      command: "shakedrop export five.json --format onnx",
      description: "five.onnx: all members of an ensemble, and what their answers combine to, as one graph"
    }
  ])
)
