/** Runs what was exported, with the program that it is for, as far as that is installed where the command is run. */
import * as fs from "node:fs/promises"
import { createRequire } from "node:module"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import * as Effect from "effect/Effect"
import type { Served } from "../Predict/TrainedRun.ts"
import { ExportError } from "./Errors.ts"
import type { ExportFormat } from "./Export.ts"
import type { InputForm } from "./Frozen.ts"

/** [N,classes] each. */
export interface Said {
  readonly logits: Float32Array
  readonly probabilities: Float32Array
}

/** What an export says of pixels [N,H,W,3]. */
export type Runtime = (pixels: Uint8Array, count: number) => Promise<Said>

/** A package of the project that the command is run in, or of this library's. */
const load = async <A>(name: string): Promise<A> => {
  const here = createRequire(path.resolve("index.js"))
  let file: string
  try {
    file = here.resolve(name)
  } catch {
    file = createRequire(import.meta.url).resolve(name)
  }
  const module = await import(pathToFileURL(file).href)
  return module.default ?? module
}

const needs = <A>(name: string): Effect.Effect<A, ExportError> =>
  Effect.tryPromise({
    try: () => load<A>(name),
    catch: () =>
      new ExportError({
        reason: "NoRuntime",
        message: `the export is run by ${name}, which is not installed`
      })
  })

/** Pixels in a form of input. */
const inForm = (
  form: InputForm,
  { mean, size: { height, width }, std }: Pick<Served, "mean" | "std" | "size">,
  pixels: Uint8Array,
  count: number
) => {
  if (form === "nhwc")
    return {
      dtype: "uint8",
      data: pixels.slice(0, count * height * width * 3),
      shape: [count, height, width, 3]
    }
  const area = height * width
  const Values = form === "nchw" ? Uint8Array : Float32Array
  const data = new Values(count * 3 * area)
  for (let i = 0; i < count; i++)
    for (let p = 0; p < area; p++)
      for (let c = 0; c < 3; c++) {
        const value = pixels[(i * area + p) * 3 + c]
        data[(i * 3 + c) * area + p] = form === "nchw" ? value : (value / 255 - mean[c]) / std[c]
      }
  return { dtype: form === "nchw" ? "uint8" : "float32", data, shape: [count, 3, height, width] }
}

/** As much of onnxruntime-node as is used. */
interface OnnxRuntime {
  readonly InferenceSession: {
    readonly create: (file: string) => Promise<{
      readonly inputNames: ReadonlyArray<string>
      readonly run: (
        feeds: Readonly<Record<string, object>>
      ) => Promise<Readonly<Record<keyof Said, { readonly data: Float32Array }>>>
    }>
  }
  readonly Tensor: new (dtype: string, data: ArrayBufferView, shape: ReadonlyArray<number>) => object
}

const onnx = Effect.fnUntraced(function* (served: Served, file: string, form: InputForm) {
  const ort = yield* needs<OnnxRuntime>("onnxruntime-node")
  const session = yield* Effect.promise(() => ort.InferenceSession.create(file))
  const runtime: Runtime = async (pixels, count) => {
    const { data, dtype, shape } = inForm(form, served, pixels, count)
    const feeds = { [session.inputNames[0]]: new ort.Tensor(dtype, data, shape) }
    const { logits, probabilities } = await session.run(feeds)
    return { logits: logits.data, probabilities: probabilities.data }
  }
  return runtime
})

/** As much of TensorFlow.js as is used. */
interface Tfjs {
  readonly setBackend: (name: string) => Promise<boolean>
  readonly tensor: (data: ArrayBufferView, shape: ReadonlyArray<number>, dtype: string) => object
  readonly loadGraphModel: (handler: object) => Promise<{
    readonly execute: (
      feeds: Readonly<Record<string, object>>,
      outputs: ReadonlyArray<string>
    ) => ReadonlyArray<{ readonly dataSync: () => Float32Array; readonly dispose: () => void }>
  }>
}

const tfjs = Effect.fnUntraced(function* (served: Served, folder: string, form: InputForm) {
  const tf = yield* needs<Tfjs>("@tensorflow/tfjs")
  const json = JSON.parse(yield* Effect.promise(() => fs.readFile(path.join(folder, "model.json"), "utf8")))
  const [{ paths, weights }] = json.weightsManifest
  const shards = yield* Effect.promise(() =>
    Promise.all(paths.map((name: string) => fs.readFile(path.join(folder, name))))
  )
  yield* Effect.promise(() => tf.setBackend("cpu"))
  const weightData = new Uint8Array(Buffer.concat(shards)).buffer
  const model = yield* Effect.promise(() =>
    tf.loadGraphModel({ load: async () => ({ ...json, weightSpecs: weights, weightData }) })
  )
  const runtime: Runtime = async (pixels, count) => {
    const { data, dtype, shape } = inForm(form, served, pixels, count)
    const values = dtype === "uint8" ? Int32Array.from(data) : data
    const input = tf.tensor(values, shape, dtype === "uint8" ? "int32" : dtype)
    const outputs = model.execute({ [form === "normalized" ? "pixel_values" : "images"]: input }, [
      "logits",
      "probabilities"
    ])
    const [logits, probabilities] = outputs.map((output) => output.dataSync())
    for (const output of outputs) output.dispose()
    return { logits, probabilities }
  }
  return runtime
})

/**
 * What runs an export in the file or folder `out`.
 *
 * @errors ExportError where no program for it is installed, or none is known
 */
export const runtimeFor = (
  served: Served,
  format: ExportFormat,
  out: string,
  form: InputForm
): Effect.Effect<Runtime, ExportError> => {
  switch (format) {
    case "onnx":
      return onnx(served, out, form)
    case "transformers":
      return onnx(served, path.join(out, "onnx", "model.onnx"), "normalized")
    case "tfjs":
      return tfjs(served, out, form)
    default:
      return Effect.fail(
        new ExportError({
          reason: "Form",
          message: `${format} cannot be run from here: onnx, transformers and tfjs can`
        })
      )
  }
}
