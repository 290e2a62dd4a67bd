/** Logits of a network for images that are tensors already. */
import type * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { Device, entryPoint } from "../Device.ts"
import type { Network } from "../Model/Network.ts"
import { channelsLast } from "../Model/Weights/PyTorchLayout.ts"
import { float32, type HostTensor, nonFinite, sizeOf, type TensorRecord } from "../Tensor/HostTensor.ts"
import { readTensorFile } from "../Tensor/ReadTensors.ts"
import { PredictError } from "./Errors.ts"

/** Images in one run of the graph. */
const BATCH = 64

/** The tensors of a file. */
export const readTensors = (file: string) =>
  readTensorFile(file).pipe(
    Effect.map(({ tensors }) => tensors),
    Effect.catchTag(["SafetensorsError", "TorchFileError"], ({ message }) =>
      Effect.fail(new PredictError({ reason: "Tensors", message }))
    )
  )

/** The images of a file of tensors: `input`, float32 [N,3,H,W], finite, not empty. */
export const inputOf = (file: string, tensors: TensorRecord): Effect.Effect<HostTensor, PredictError> => {
  const input = tensors.input
  if (input === undefined) {
    const names = Object.keys(tensors)
    return Effect.fail(
      new PredictError({
        reason: "Tensors",
        message: `${file} has no tensor named input: it has ${names.join(", ") || "none"}`
      })
    )
  }
  const { dtype, shape } = input
  if (dtype === "float32" && shape.length === 4 && shape[1] === 3 && sizeOf(shape) > 0) {
    if (nonFinite({ input }).length === 0) return Effect.succeed(input)
    const message = `${file}: input holds a NaN or an infinity`
    return Effect.fail(new PredictError({ reason: "Tensors", message }))
  }
  return Effect.fail(
    new PredictError({
      reason: "Tensors",
      message: `${file}: input is ${dtype}[${shape.join(", ")}], but float32[N, 3, height, width] is wanted`
    })
  )
}

/** Normalised images [N,3,H,W] → logits [N,classes]. `weights` are in device layouts. */
export const predictTensors = Effect.fn("predictTensors")(function* (
  network: Network,
  weights: TensorRecord,
  input: HostTensor
) {
  const device = yield* Device
  const { data, shape } = channelsLast(input)
  const [count, height, width, channels] = shape
  const batch = Math.min(BATCH, count)
  const program = yield* device.compile(weights, {
    evaluate: entryPoint({
      inputs: { x: { dtype: "float32", shape: [batch, height, width, channels] } },
      prepared: true,
      run: (state, { x }) => ({
        output: { logits: network.apply(state, x as tf.Tensor4D, { _tag: "Evaluation" }).logits }
      })
    })
  })
  const image = height * width * channels
  const logits = new Float32Array(count * network.classes)
  for (let first = 0; first < count; first += batch) {
    // The last batch may end with images of zeros.
    const images = new Float32Array(batch * image)
    images.set(data.subarray(first * image, (first + batch) * image))
    const result = yield* program.run("evaluate", { x: float32([batch, height, width, channels], images) })
    const rows = Math.min(batch, count - first)
    logits.set(
      (result.logits.data as Float32Array).subarray(0, rows * network.classes),
      first * network.classes
    )
  }
  return float32([count, network.classes], logits)
}, Effect.scoped)
