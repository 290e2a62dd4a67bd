/** Networks beside their golden values. */
import { assert } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { Device, type DeviceError, entryPoint } from "../../src/Device.ts"
import { type Network, pyramidNet, wideResNet } from "../../src/Model.ts"
import { valueAndGradients } from "../../src/Ops/Gradients.ts"
import type { HostTensor, TensorRecord } from "../../src/Tensor/HostTensor.ts"
import { crossEntropy, targets } from "../../src/Train/Step/Loss.ts"
import { channelsLast, distance, euclidean, norm, readTensors, under } from "./Fixtures.ts"
import { onCpu } from "./OnCpu.ts"

const size = { height: 32, width: 32 }

/** A gate that is always open is a survival of 1; evaluation has the usual survival. */
const shaken = (make: (survival: number) => Network) => ({ training: make(1), evaluation: make(0.5) })

/** The networks of `pyramidnet-20-a24` and `wrn-10-2`. */
export const pyramid = shaken((survival) =>
  pyramidNet({
    ...{ block: "bottleneck", depth: 20, alpha: 24, classes: 10, size },
    shakeDrop: { ranges: "series", gate: "sample", survival }
  })
)
export const wide = shaken((survival) =>
  wideResNet({
    depth: 10,
    widenFactor: 2,
    shakeDrop: { ranges: "series", gate: "sample", survival },
    classes: 10,
    size
  })
)

/** A network's logits for normalised images [N,H,W,3]. */
export const logitsOf = (
  network: Network,
  weights: TensorRecord,
  x: HostTensor
): Effect.Effect<HostTensor, DeviceError> =>
  onCpu(
    Effect.gen(function* () {
      const device = yield* Device
      const program = yield* device.compile(weights, {
        evaluate: entryPoint({
          inputs: { x },
          run: (state, { x }) => ({
            output: { logits: network.apply(state, x as tf.Tensor4D, { _tag: "Evaluation" }).logits }
          })
        })
      })
      const { logits } = yield* program.run("evaluate", { x })
      return logits
    })
  )

/** Compares logits, loss, gradients and running statistics with those that PyTorch wrote into NAME.safetensors. */
export const agreesWithPyTorch = (
  name: string,
  { evaluation, training }: { readonly evaluation: Network; readonly training: Network }
) =>
  Effect.gen(function* () {
    const fixture = readTensors(`${name}.safetensors`)
    const weights = under(fixture, "weights.")
    const x = channelsLast(fixture.input_nchw)
    assert.sameMembers(
      Object.keys(weights),
      training.tensors.map(({ name }) => name)
    )
    const evaluated = yield* logitsOf(evaluation, weights, x)
    assert.isBelow(distance(evaluated, fixture.logits_eval), 1e-4)

    const device = yield* Device
    const parameters = training.tensors.filter(({ role }) => role === "parameter")
    const batch = x.shape[0]
    const program = yield* device.compile(weights, {
      gradients: entryPoint({
        inputs: { x, labels: { dtype: "int32", shape: [batch] } },
        run: (state, { x, labels }) => {
          const { auxiliary, gradients, loss } = valueAndGradients(
            () => {
              const key = { seed: 0, step: tf.scalar(0, "int32") }
              const mode = { _tag: "Training", key } as const
              const { logits, statistics } = training.apply(state, x as tf.Tensor4D, mode)
              const a = labels as tf.Tensor1D
              const target = targets({ a, b: a, lambda: tf.ones([batch]) }, 10, 0.1)
              return { loss: crossEntropy(logits, target), auxiliary: { ...statistics, logits } }
            },
            Object.fromEntries(parameters.map(({ name }) => [name, state[name]]))
          )
          return {
            output: {
              loss,
              ...auxiliary,
              ...Object.fromEntries(Object.entries(gradients).map(([key, value]) => [`grad ${key}`, value]))
            }
          }
        }
      })
    })
    const result = yield* program.run("gradients", { x, labels: fixture.labels })
    assert.isBelow(distance(result.logits, fixture.logits_train), 1e-4)
    assert.closeTo(result.loss.data[0], fixture.loss_train.data[0], 1e-5)
    const expected = under(fixture, "grad.")
    assert.sameMembers(
      Object.keys(expected),
      parameters.map(({ name }) => name)
    )
    const values: Readonly<Record<string, HostTensor>> = result
    // Some gradients are zero but for rounding (biases in front of a normalisation), and a ReLU's input may lie
    // within a rounding of zero: each tensor may be off by a little of the whole gradient besides.
    const whole = norm(Object.values(expected))
    for (const [key, value] of Object.entries(expected)) {
      const allowed = 1e-3 * (norm([value]) + 0.01 * whole)
      assert.isBelow(euclidean(values[`grad ${key}`], value), allowed, key)
    }
    const after = under(fixture, "after.")
    assert.sameMembers(
      Object.keys(after),
      training.tensors.filter(({ role }) => role === "statistic").map(({ name }) => name)
    )
    for (const [key, value] of Object.entries(after)) {
      assert.isBelow(distance(values[key], value), 1e-4, key)
    }
  }).pipe(onCpu)
