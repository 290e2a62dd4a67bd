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
import { transformersFiles } from "./Transformers.ts"
import { asStrings, onnxOf, writeGraph } from "./WriteGraph.ts"

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
    case "transformers": {
      const onnx = yield* onnxOf(yield* frozen(served, "normalized"), { ...metadata, input: "normalized" })
      for (const { contents, name } of transformersFiles(served, onnx, asStrings(metadata), facts)) {
        yield* writeFileAtomic(path.join(out, name), contents)
      }
      return
    }
    default: {
      const graph = yield* frozen(served, input)
      return yield* writeGraph(format, graph, { ...metadata, input: input ?? "nhwc" }, out)
    }
  }
})
