/** Our networks, compiled, with a batch of made-up images to run them on. */
import * as Effect from "effect/Effect"
import { Device } from "../../dist/Device.js"
import { makeNetwork } from "../../dist/Model.js"
import { float32, int32, scalar, uint8 } from "../../dist/Tensor/HostTensor.js"
import { sgd } from "../../dist/Train/Optimizer/Sgd.js"
import { evaluationEntry, seedState, trainingEntry } from "../../dist/Train/Step/EntryPoints.js"
import { initialState, PLAIN_STEP } from "../../dist/Train/Step/Step.js"

/** The peers normalise with the same values and take the same steps (bench/peers/workload.py). */
const MEAN = [0.5, 0.5, 0.5]
const STD = [0.25, 0.25, 0.25]
const STEP = { ...PLAIN_STEP, optimizer: sgd({ momentum: 0.9, weightDecay: 1e-4 }), clipGradNorm: 1 }

/** Bytes that any language makes the same: the top byte of Knuth's multiplicative hash of their index. */
const bytes = (count) => Uint8Array.from({ length: count }, (_, i) => (i * 2654435761) >>> 24)

/**
 * A network, its state, its entry point for `mode`, and the inputs of step `index`. With `recompute`, blocks are
 * computed again in the backward pass.
 */
export const prepare = ({ batch, mode, model, recompute = false, side }) => {
  const size = { height: side, width: side }
  const images = { batchSize: batch, size, mean: MEAN, std: STD }
  const network = makeNetwork(model, { classes: 10, size })
  const weights = network.init(1)
  const pixels = uint8([batch, side, side, 3], bytes(batch * side * side * 3))
  if (mode === "evaluate") {
    return {
      network,
      state: weights,
      entry: evaluationEntry(network, images),
      input: () => ({ images: pixels })
    }
  }
  const labels = int32(
    [batch],
    Int32Array.from({ length: batch }, (_, i) => i % 10)
  )
  const input = {
    images: pixels,
    labelsA: labels,
    labelsB: labels,
    lambda: float32([batch], new Float32Array(batch).fill(1)),
    learningRate: scalar(0.1)
  }
  return {
    network,
    state: { ...initialState(network, weights, STEP), ...seedState(1) },
    entry: trainingEntry(network, images, { ...STEP, recompute }),
    input: (index) => ({ ...input, step: int32([], Int32Array.of(index)) })
  }
}

/** The network as a program on the device: `step` runs it once, `profile` with notes of each operation's time. */
export const compile = Effect.fnUntraced(function* (spec) {
  const device = yield* Device
  const { entry, input, network, state } = prepare(spec)
  const before = performance.now()
  const { precision = "float32", xla = false } = spec
  const { operations, profile, run } = yield* device.compile(state, { entry }, { precision, xla })
  const compileSeconds = (performance.now() - before) / 1000
  return {
    network,
    operations,
    compileSeconds,
    step: (index) => run("entry", input(index)),
    profile: (index) => profile("entry", input(index))
  }
})

/** Runs something on a device. */
export const on = (device, program) =>
  Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(Device.layer(device))))

/** Runs a measurement on the CPU and prints what it gives as a line of JSON. */
export const measureOnCpu = async (measurement) => console.log(JSON.stringify(await on("cpu", measurement)))
