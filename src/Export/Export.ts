/** A trained network as files for other programs. */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { toPyTorch } from "../Model/Weights/PyTorchLayout.ts"
import { writeFileAtomic } from "../Platform/Files.ts"
import type { Served } from "../Predict/TrainedRun.ts"
import { encode } from "../Tensor/Safetensors.ts"
import { ExportError } from "./Errors.ts"
import { frozen, type InputForm } from "./Frozen.ts"
import { onnxModel } from "./Onnx/OnnxModel.ts"
import { savedModel } from "./SavedModel.ts"
import { tfjsModel } from "./TfjsModel.ts"

export type ExportFormat = "safetensors" | "savedmodel" | "tfjs" | "onnx"

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
  /** What the graph takes; safetensors have none. */
  readonly input?: InputForm | undefined
}

/**
 * Writes a network: `safetensors` into the file `out`, with PyTorch's names and layouts; `onnx` into the file `out`,
 * `savedmodel` and `tfjs` into the folder `out`, all three taking images in the form `input` and giving logits and
 * probabilities (see `frozen`).
 *
 * @errors ExportError, DeviceError, StorageError
 */
export const exportNetwork = Effect.fn("exportNetwork")(function* (
  served: Served,
  format: ExportFormat,
  out: string,
  { input = "nhwc" }: ExportOptions = {}
) {
  const metadata = metadataOf(served)
  switch (format) {
    case "safetensors":
      if (input !== "nhwc") {
        return yield* new ExportError({
          reason: "Form",
          message: "safetensors hold weights and no graph: there is no input to choose"
        })
      }
      return yield* writeFileAtomic(
        out,
        encode(toPyTorch(served.network, served.weights), asStrings(metadata))
      )
    case "onnx": {
      const graph = yield* frozen(served, input)
      const contents = yield* Effect.try({
        try: () => onnxModel(graph, served.network.name, asStrings({ ...metadata, input })),
        catch: (cause) => cause as ExportError
      })
      return yield* writeFileAtomic(out, contents)
    }
    case "savedmodel": {
      // TensorFlow leaves `assets.extra` to the user.
      yield* writeFileAtomic(path.join(out, "assets.extra", "model.json"), JSON.stringify(metadata))
      return yield* writeFileAtomic(
        path.join(out, "saved_model.pb"),
        savedModel(yield* frozen(served, input))
      )
    }
    case "tfjs":
      for (const { contents, name } of tfjsModel(yield* frozen(served, input), metadata)) {
        yield* writeFileAtomic(path.join(out, name), contents)
      }
  }
})
