/** A trained network as files for other programs. */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { toPyTorch } from "../Model/Weights/PyTorchLayout.ts"
import { writeFileAtomic } from "../Platform/Files.ts"
import type { Served } from "../Predict/TrainedRun.ts"
import { encode } from "../Tensor/Safetensors.ts"
import { frozen } from "./Frozen.ts"
import { savedModel } from "./SavedModel.ts"
import { tfjsModel } from "./TfjsModel.ts"

export type ExportFormat = "safetensors" | "savedmodel" | "tfjs"

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

/**
 * Writes a network: `safetensors` into the file `out`, with PyTorch's names and layouts; `savedmodel` and `tfjs` into
 * the folder `out`, both taking pixels and giving probabilities (see `frozen`).
 */
export const exportNetwork = Effect.fn("exportNetwork")(function* (
  served: Served,
  format: ExportFormat,
  out: string
) {
  const metadata = metadataOf(served)
  switch (format) {
    case "safetensors":
      return yield* writeFileAtomic(
        out,
        encode(toPyTorch(served.network, served.weights), asStrings(metadata))
      )
    case "savedmodel": {
      // TensorFlow leaves `assets.extra` to the user.
      yield* writeFileAtomic(path.join(out, "assets.extra", "model.json"), JSON.stringify(metadata))
      return yield* writeFileAtomic(path.join(out, "saved_model.pb"), savedModel(yield* frozen(served)))
    }
    case "tfjs":
      for (const { contents, name } of tfjsModel(yield* frozen(served), metadata)) {
        yield* writeFileAtomic(path.join(out, name), contents)
      }
  }
})
