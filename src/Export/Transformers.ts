/**
 * A folder that `pipeline("image-classification", FOLDER)` of transformers.js runs: `config.json` with the classes,
 * `preprocessor_config.json` with what is done to images, the graph, the weights and a model card.
 */
import { toPyTorch } from "../Model/Weights/PyTorchLayout.ts"
import type { Served } from "../Predict/TrainedRun.ts"
import { encode } from "../Tensor/Safetensors.ts"
import { modelCard, type RunFacts } from "./ModelCard.ts"

/** Pillow's number for Lanczos-3, by which images are scaled here too. */
const LANCZOS = 1

/** transformers.js takes only names that it knows; it runs the same graph with every one of them. */
const modelTypeOf = ({ config }: Served) =>
  config._tag === "VisionTransformer"
    ? { model_type: "vit", architectures: ["ViTForImageClassification"] }
    : { model_type: "resnet", architectures: ["ResNetForImageClassification"] }

const configOf = (served: Served): unknown => {
  const { classes, network, size } = served
  return {
    ...modelTypeOf(served),
    num_labels: classes.length,
    id2label: Object.fromEntries(classes.map((name, i) => [i, name])),
    label2id: Object.fromEntries(classes.map((name, i) => [name, i])),
    num_channels: 3,
    image_size: [size.height, size.width],
    shakedrop: { network: network.name, model: served.config }
  }
}

const preprocessorOf = ({ mean, size, std }: Served): unknown => ({
  image_processor_type: "ViTImageProcessor",
  do_convert_rgb: true,
  do_resize: true,
  size: { height: size.height, width: size.width },
  resample: LANCZOS,
  do_rescale: true,
  rescale_factor: 1 / 255,
  do_normalize: true,
  image_mean: mean,
  image_std: std
})

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

export interface FolderFile {
  readonly name: string
  readonly contents: string | Uint8Array | ReadonlyArray<Uint8Array>
}

/** The files of the folder; `onnx` is the graph that takes `pixel_values`. */
export const transformersFiles = (
  served: Served,
  onnx: Uint8Array,
  metadata: Readonly<Record<string, string>>,
  facts: RunFacts | undefined
): ReadonlyArray<FolderFile> => [
  { name: "onnx/model.onnx", contents: onnx },
  {
    name: "model.safetensors",
    contents: encode(toPyTorch(served.network, served.weights), { ...metadata, format: "pt" })
  },
  { name: "preprocessor_config.json", contents: json(preprocessorOf(served)) },
  { name: "README.md", contents: modelCard(served, facts) },
  // The folder is whole when this is there.
  { name: "config.json", contents: json(configOf(served)) }
]
