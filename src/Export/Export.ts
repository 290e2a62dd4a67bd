/** A trained network as files for other programs. */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { toPyTorch } from "../Model/Weights/PyTorchLayout.ts"
import { writeFileAtomic } from "../Platform/Files.ts"
import type { Served } from "../Predict/TrainedRun.ts"
import { encode } from "../Tensor/Safetensors.ts"
import { ExportError } from "./Errors.ts"
import { frozen, type InputForm } from "./Frozen.ts"
import type { RunFacts } from "./ModelCard.ts"
import { onnxModel } from "./Onnx/OnnxModel.ts"
import { savedModel } from "./SavedModel.ts"
import { tfjsModel } from "./TfjsModel.ts"
import { transformersFiles } from "./Transformers.ts"

export const EXPORT_FORMATS = ["safetensors", "onnx", "transformers", "savedmodel", "tfjs"] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** What a user of the files has to know. */
const metadataOf = ({ classes, config, mean, network, size, std }: Served) => ({
  network: network.name,
  model: { ...config, classes: network.classes },
  classes,
  size,
  mean,
  std
})

const asStrings = (metadata: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value)
    ])
  )

export interface ExportOptions {
  /** What the graph takes. Safetensors have no graph, and that of `transformers` takes normalised images. */
  readonly input?: InputForm | undefined
  /** For the model card of `transformers`. */
  readonly facts?: RunFacts | undefined
}

/** The input of a format whose input cannot be chosen. */
const FIXED: Partial<Readonly<Record<ExportFormat, { readonly form?: InputForm; readonly why: string }>>> = {
  safetensors: { why: "safetensors hold weights and no graph: there is no input to choose" },
  transformers: {
    form: "normalized",
    why: "transformers.js gives a network normalised images, and no others"
  }
}

const checkForm = (format: ExportFormat, input: InputForm | undefined): Effect.Effect<void, ExportError> => {
  const fixed = FIXED[format]
  return fixed === undefined || input === undefined || input === fixed.form
    ? Effect.void
    : Effect.fail(new ExportError({ reason: "Form", message: fixed.why }))
}

/** The contents of a `.onnx` file. */
const onnxOf = Effect.fnUntraced(function* (served: Served, input: InputForm) {
  const graph = yield* frozen(served, input)
  return yield* Effect.try({
    try: () => onnxModel(graph, served.network.name, asStrings({ ...metadataOf(served), input })),
    catch: (cause) => cause as ExportError
  })
})

/**
 * Writes a network: `safetensors` into the file `out`, with PyTorch's names and layouts; `onnx` into the file `out`,
 * `savedmodel` and `tfjs` into the folder `out`, all three taking images in the form `input` and giving logits and
 * probabilities (see `frozen`); `transformers` into the folder `out` (see `transformersFiles`).
 *
 * @errors ExportError, DeviceError, StorageError
 */
export const exportNetwork = Effect.fn("exportNetwork")(function* (
  served: Served,
  format: ExportFormat,
  out: string,
  { facts, input }: ExportOptions = {}
) {
  yield* checkForm(format, input)
  const metadata = metadataOf(served)
  switch (format) {
    case "safetensors":
      return yield* writeFileAtomic(
        out,
        encode(toPyTorch(served.network, served.weights), asStrings(metadata))
      )
    case "onnx":
      return yield* writeFileAtomic(out, yield* onnxOf(served, input ?? "nhwc"))
    case "transformers": {
      const onnx = yield* onnxOf(served, "normalized")
      for (const { contents, name } of transformersFiles(served, onnx, asStrings(metadata), facts)) {
        yield* writeFileAtomic(path.join(out, name), contents)
      }
      return
    }
    case "savedmodel": {
      // TensorFlow leaves `assets.extra` to the user.
      yield* writeFileAtomic(path.join(out, "assets.extra", "model.json"), JSON.stringify(metadata))
      const graph = savedModel(yield* frozen(served, input))
      return yield* writeFileAtomic(path.join(out, "saved_model.pb"), graph)
    }
    case "tfjs":
      for (const { contents, name } of tfjsModel(yield* frozen(served, input), metadata)) {
        yield* writeFileAtomic(path.join(out, name), contents)
      }
  }
})
