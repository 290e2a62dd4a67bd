/** A frozen graph as the files of a format. */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import type { FrozenGraph } from "../Device.ts"
import { writeFileAtomic } from "../Platform/Files.ts"
import type { ExportError } from "./Errors.ts"
import { onnxModel } from "./Onnx/OnnxModel.ts"
import { savedModel } from "./SavedModel.ts"
import { tfjsModel } from "./TfjsModel.ts"

/** The formats that hold a whole graph. */
export type GraphFormat = "onnx" | "savedmodel" | "tfjs"

/** What a user of the files has to know: texts, or values that become JSON where a format has texts only. */
export type Metadata = Readonly<Record<string, unknown>> & { readonly network: string }

export const asStrings = (metadata: Metadata): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value)
    ])
  )

/**
 * The contents of a `.onnx` file.
 *
 * @errors ExportError where the graph has an operation that ONNX has no word for
 */
export const onnxOf = (graph: FrozenGraph, metadata: Metadata): Effect.Effect<Uint8Array, ExportError> =>
  Effect.try({
    try: () => onnxModel(graph, metadata.network, asStrings(metadata)),
    catch: (cause) => cause as ExportError
  })

/** Writes the file (`onnx`) or the folder. */
export const writeGraph = Effect.fnUntraced(function* (
  format: GraphFormat,
  graph: FrozenGraph,
  metadata: Metadata,
  out: string
) {
  switch (format) {
    case "onnx":
      return yield* writeFileAtomic(out, yield* onnxOf(graph, metadata))
    case "savedmodel":
      // TensorFlow leaves `assets.extra` to the user.
      yield* writeFileAtomic(path.join(out, "assets.extra", "model.json"), JSON.stringify(metadata))
      return yield* writeFileAtomic(path.join(out, "saved_model.pb"), savedModel(graph))
    case "tfjs":
      for (const { contents, name } of tfjsModel(graph, metadata)) {
        yield* writeFileAtomic(path.join(out, name), contents)
      }
  }
})
