/** What a server and its models say of themselves. */
import { VERSION } from "../../Platform/Version.ts"
import type { Model } from "../Model/Models.ts"
import type { Network } from "../Model/Network.ts"
import { outputNames } from "./Outputs.ts"

export const serverMetadata = {
  name: "shakedrop",
  version: VERSION,
  extensions: ["binary_tensor_data", "classification", "statistics"]
}

/** -1 stands for any number of images. */
export const modelMetadata = ({ name }: Model, versions: ReadonlyArray<Model>, network: Network) => ({
  name,
  versions: versions.map(({ version }) => version),
  platform: "tensorflow_graphdef",
  inputs: [{ name: "images", datatype: "UINT8", shape: [-1, network.size.height, network.size.width, 3] }],
  outputs: outputNames(network).map((output) => ({
    name: output,
    datatype: "FP32",
    shape: [-1, network.classes.length]
  }))
})

/** The classes that the values of an output stand for, in their order. */
export const labelsOf = ({ classes }: Network) => ({ labels: classes })
