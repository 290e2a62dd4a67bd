/**
 * A function of tfjs tensors, traced once and run as a compiled TensorFlow program: gradient descent on a line.
 *
 *   node examples/compile.mjs
 */
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { Tensor } from "shakedrop"
import { Device, entryPoint } from "shakedrop/Device"

const { float32, scalar } = Tensor
const column = (values) => float32([4], Float32Array.from(values))

const fit = entryPoint({
  inputs: { x: { dtype: "float32", shape: [4] }, y: { dtype: "float32", shape: [4] } },
  run: ({ slope, offset }, { x, y }) => {
    const loss = (slope, offset) => x.mul(slope).add(offset).sub(y).square().mean()
    const { value, grads } = tf.valueAndGrads(loss)([slope, offset])
    return {
      state: { slope: slope.sub(grads[0].mul(0.1)), offset: offset.sub(grads[1].mul(0.1)) },
      output: { loss: value }
    }
  }
})

const program = Effect.gen(function* () {
  const device = yield* Device
  // The state stays on the device; only inputs and outputs travel.
  const { read, run } = yield* device.compile({ slope: scalar(0), offset: scalar(0) }, { fit })
  for (let step = 0; step < 200; step++) {
    yield* run("fit", { x: column([0, 1, 2, 3]), y: column([1, 3, 5, 7]) })
  }
  const { offset, slope } = yield* read
  console.log(`y = ${slope.data[0].toFixed(3)} x + ${offset.data[0].toFixed(3)} on ${device.name}`)
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(Device.layer("auto"))))
