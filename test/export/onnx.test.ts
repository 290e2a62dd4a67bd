import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { createRequire } from "node:module"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { bytesOf, numbersOf, textOf } from "../../src/Device/Graph/Protobuf.ts"
import { Device } from "../../src/Device.ts"
import type { InputForm } from "../../src/Export/Frozen.ts"
import { onnxModel } from "../../src/Export/Onnx/OnnxModel.ts"
import { exportNetwork } from "../../src/Export.ts"
import { float32, type HostTensor } from "../../src/Tensor/HostTensor.ts"
import { distance } from "../support/Fixtures.ts"
import { onCpu } from "../support/OnCpu.ts"
import { temporaryFolder } from "../support/Run.ts"
import { classes, count, expectedOf, images, networks, size } from "./support.ts"

/** The images with channels before height and width. */
const channelsFirst = ({ data, shape: [n, h, w, c] }: HostTensor): ReadonlyArray<number> =>
  Array.from({ length: n * c * h * w }, (_, i) => {
    const [x, y] = [i % w, Math.floor(i / w) % h]
    const [channel, image] = [Math.floor(i / (w * h)) % c, Math.floor(i / (w * h * c))]
    return data[((image * h + y) * w + x) * c + channel]
  })

const { mean, std } = networks[0][1]
const first = channelsFirst(images)
const pixels = size.height * size.width

/** The same images in each of the forms. */
const given = {
  nhwc: { dtype: "uint8", shape: images.shape, data: [...images.data] },
  nchw: { dtype: "uint8", shape: [count, 3, size.height, size.width], data: first },
  normalized: {
    dtype: "float32",
    shape: [count, 3, size.height, size.width],
    data: first.map((value, i) => {
      const channel = Math.floor(i / pixels) % 3
      return (value / 255 - mean[channel]) / std[channel]
    })
  }
} satisfies Readonly<Record<InputForm, unknown>>

/** Every form for a network with a convolution first, and for the one that resizes; pixels for the others. */
const formsOf = (network: number): ReadonlyArray<InputForm> =>
  network === 3 || network === 7 ? ["nhwc", "nchw", "normalized"] : ["nhwc"]

/** Every network in its forms, in a folder. */
const writeAll = (directory: string) =>
  Effect.forEach(networks, ([name, served], i) =>
    Effect.gen(function* () {
      for (const input of formsOf(i)) {
        const file = path.join(directory, `${i}-${input}`)
        yield* exportNetwork(served, "onnx", `${file}.onnx`, { input })
        fs.writeFileSync(`${file}.json`, JSON.stringify(given[input]))
      }
      return [name, yield* expectedOf(served)] as const
    })
  )

type Written = Effect.Success<ReturnType<typeof writeAll>>

/** Compares logits and probabilities with our own. */
const compare = (written: Written, outputsOf: (name: string) => ReadonlyArray<ArrayLike<number>>) => {
  for (const [i, [name, expected]] of written.entries()) {
    for (const form of formsOf(i)) {
      const [logits, probabilities] = outputsOf(`${i}-${form}`)
      for (const [ours, theirs] of [
        [expected.logits, logits],
        [expected.probabilities, probabilities]
      ] as const) {
        const actual = float32(ours.shape, Float32Array.from(theirs))
        assert.isBelow(distance(actual, ours), 1e-5, `${name}, ${form}`)
      }
    }
  }
}

/** As much of onnxruntime-node as is used. */
interface Runtime {
  readonly InferenceSession: { readonly create: (file: string) => Promise<Session> }
  readonly Tensor: new (
    dtype: string,
    data: Uint8Array | Float32Array,
    shape: ReadonlyArray<number>
  ) => object
}
interface Session {
  readonly inputNames: ReadonlyArray<string>
  readonly run: (
    feeds: Readonly<Record<string, object>>
  ) => Promise<Readonly<Record<string, { readonly data: Float32Array }>>>
}

const python = spawnSync("python3", ["-c", "import onnx, onnxruntime"])

/** A folder where onnxruntime-node is installed: `test/clients/exports.sh` makes one. */
const { SHAKEDROP_TEST_CLIENTS: clients } = process.env

describe("an exported network gives our logits and probabilities for any number of images", () => {
  it.effect.skipIf(python.status !== 0)("in onnxruntime's Python, past ONNX's checker", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryFolder
      const written = yield* writeAll(directory)
      const script = path.join(import.meta.dirname, "onnx_models.py")
      const { status, stderr } = spawnSync("python3", [script, directory], { encoding: "utf8" })
      assert.strictEqual(status, 0, stderr)
      compare(written, (name) =>
        JSON.parse(fs.readFileSync(path.join(directory, `${name}.out.json`), "utf8"))
      )
    })
  )

  it.effect.skipIf(clients === undefined)("in onnxruntime-node", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryFolder
      const written = yield* writeAll(directory)
      const require = createRequire(path.join(clients!, "index.js"))
      const ort: Runtime = require("onnxruntime-node")
      const outputs = new Map<string, ReadonlyArray<ArrayLike<number>>>()
      for (const i of networks.keys()) {
        for (const form of formsOf(i)) {
          const session = yield* Effect.promise(() =>
            ort.InferenceSession.create(path.join(directory, `${i}-${form}.onnx`))
          )
          const { data, dtype, shape } = given[form]
          const values = dtype === "uint8" ? Uint8Array.from(data) : Float32Array.from(data)
          const feeds = { [session.inputNames[0]]: new ort.Tensor(dtype, values, shape) }
          const said = yield* Effect.promise(() => session.run(feeds))
          outputs.set(`${i}-${form}`, [said.logits.data, said.probabilities.data])
        }
      }
      compare(written, (name) => outputs.get(name)!)
    })
  )
})

const messageOf = (message: Uint8Array, field: number): Uint8Array => bytesOf(message, field)[0]
const textsOf = (messages: ReadonlyArray<Uint8Array>, field: number) =>
  messages.map((message) => textOf(messageOf(message, field)))
const shapeOf = (port: Uint8Array) =>
  bytesOf(messageOf(messageOf(messageOf(port, 2), 1), 2), 1).map((side) =>
    bytesOf(side, 2).length > 0 ? textOf(messageOf(side, 2)) : Number(numbersOf(side, 1)[0])
  )

describe("an ONNX model", () => {
  it.effect("says what it takes and gives, its classes and its opset, and turns images around once", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryFolder
      const file = path.join(directory, "model.onnx")
      yield* exportNetwork(networks[3][1], "onnx", file)
      const model = fs.readFileSync(file)
      const graph = messageOf(model, 7)
      const [inputs, outputs] = [bytesOf(graph, 11), bytesOf(graph, 12)]
      assert.deepStrictEqual(textsOf(inputs, 1), ["images"])
      assert.deepStrictEqual(textsOf(outputs, 1), ["logits", "probabilities"])
      assert.deepStrictEqual(inputs.map(shapeOf), [["N", 13, 12, 3]])
      assert.deepStrictEqual(outputs.map(shapeOf), [
        ["N", 5],
        ["N", 5]
      ])
      assert.deepStrictEqual(numbersOf(messageOf(model, 8), 2), [18n])
      const properties = bytesOf(model, 14)
      const metadata = Object.fromEntries(
        textsOf(properties, 1).map((key, i) => [key, textsOf(properties, 2)[i]])
      )
      assert.deepStrictEqual(JSON.parse(metadata.classes), classes)
      assert.deepStrictEqual(JSON.parse(metadata.std), std)
      assert.strictEqual(metadata.input, "nhwc")
      const operations = textsOf(bytesOf(graph, 1), 4)
      assert.strictEqual(operations.filter((op) => op === "Transpose").length, 1)
    })
  )

  it.effect("is refused in one line where the network has an operation that is not known", () =>
    Effect.gen(function* () {
      const device = yield* Device
      const graph = yield* device.freeze({
        weights: {},
        inputs: (batch) => ({ x: { dtype: "float32", shape: [batch, 4] } }),
        run: (_, { x }) => ({ y: tf.cumsum(x, 1) })
      })
      assert.throws(
        () => onnxModel(graph, "sums", {}),
        /^the operation Cumsum \(\S+\) cannot be written as ONNX: no counterpart of it is known$/
      )
    }).pipe(onCpu)
  )
})
