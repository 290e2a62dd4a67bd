/**
 * TensorFlow's SavedModel of a frozen graph, with one signature, `serving_default`. The numbers are those of the fields
 * in tensorflow/core/protobuf: saved_model.proto and meta_graph.proto.
 */
import { encodeGraphDef, encodeShape } from "../Device/Graph/GraphDef.ts"
import { bytes, number } from "../Device/Graph/Protobuf.ts"
import { DTYPE } from "../Device/Library/DataType.ts"
import type { FrozenGraph, Port } from "../Device.ts"
import { TENSORFLOW_VERSION } from "../Device.ts"

/** An entry of a map from a signature's names to tensors (`TensorInfo`). */
const port = (field: number, { dtype, name, shape }: Port): Uint8Array =>
  bytes(field, [
    bytes(1, name),
    bytes(2, [bytes(1, `${name}:0`), number(2, DTYPE[dtype]), bytes(3, encodeShape(shape))])
  ])

/** The contents of `saved_model.pb`. */
export const savedModel = ({ graph, inputs, outputs }: FrozenGraph): Uint8Array => {
  const signature = bytes(2, [
    ...inputs.map((input) => port(1, input)),
    ...outputs.map((output) => port(2, output)),
    bytes(3, "tensorflow/serving/predict")
  ])
  const metaGraph = bytes(2, [
    bytes(1, [bytes(4, "serve"), bytes(5, TENSORFLOW_VERSION)]),
    bytes(2, encodeGraphDef(graph)),
    bytes(5, [bytes(1, "serving_default"), signature])
  ])
  return Buffer.concat([number(1, 1), metaGraph])
}
