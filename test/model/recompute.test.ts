import { assert, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { Device, entryPoint } from "../../src/Device.ts"
import { type ModelConfig, makeNetwork } from "../../src/Model.ts"
import { valueAndGradients } from "../../src/Ops/Gradients.ts"
import { draws } from "../../src/Random.ts"
import { float32, type TensorRecord } from "../../src/Tensor/HostTensor.ts"
import { euclidean, norm } from "../support/Fixtures.ts"
import { onCpu } from "../support/OnCpu.ts"

const size = { height: 8, width: 8 }
const shakeDrop = { survival: 0.5, ranges: "paper", gate: "sample" } as const

const models: ReadonlyArray<ModelConfig> = [
  { _tag: "PyramidNet", block: "basic", depth: 14, alpha: 12, shakeDrop },
  { _tag: "PyramidNet", block: "bottleneck", depth: 20, alpha: 12, shakeDrop },
  { _tag: "WideResNet", depth: 10, widenFactor: 1, dropRate: 0.3 },
  { _tag: "DenseNet", depth: 10, growth: 4 },
  { _tag: "VisionTransformer", patchSize: 2, embedDim: 16, depth: 2, numHeads: 2 }
]

const images = { dtype: "float32", shape: [4, 8, 8, 3] } as const

it.effect.each(models)("$_tag has the same gradients where blocks are recomputed, draws included", (model) =>
  Effect.gen(function* () {
    const device = yield* Device
    const network = makeNetwork(model, { classes: 5, size })
    const random = draws(1, "images")
    const x = float32(
      images.shape,
      Float32Array.from({ length: 768 }, () => random.normal())
    )
    // The classifier of a vision transformer starts at zero, from where no gradient would reach the blocks.
    const weights = Object.fromEntries(
      Object.entries(network.init(1)).map(([name, value]) => [
        name,
        float32(
          value.shape,
          Float32Array.from(value.data, (v) => v + 0.02 * random.normal())
        )
      ])
    )
    const names = network.tensors.flatMap(({ name, role }) => (role === "parameter" ? [name] : []))
    const gradients = Effect.fnUntraced(function* (recompute: boolean) {
      const program = yield* device.compile(weights, {
        gradients: entryPoint({
          inputs: { x: images },
          run: (state, { x }) => {
            const parameters = Object.fromEntries(names.map((name) => [name, state[name]]))
            const key = { seed: 3, step: tf.scalar(5, "int32") }
            const { auxiliary, gradients, loss } = valueAndGradients(() => {
              const mode = { _tag: "Training", key, recompute } as const
              const { logits, statistics } = network.apply(state, x as tf.Tensor4D, mode)
              return { loss: tf.mean(tf.square(logits)) as tf.Scalar, auxiliary: statistics }
            }, parameters)
            return { output: { ...auxiliary, ...gradients, loss } }
          }
        })
      })
      const output: TensorRecord = yield* program.run("gradients", { x })
      return { output, operations: program.operations }
    })
    const [kept, again] = [yield* gradients(false), yield* gradients(true)]
    assert.sameMembers(Object.keys(again.output), Object.keys(kept.output))
    for (const [name, value] of Object.entries(kept.output)) {
      // TensorFlow's optimiser may take sums in another order.
      assert.isBelow(euclidean(again.output[name], value), 1e-5 * (norm([value]) + 1e-3), name)
      if (names.includes(name))
        assert.isTrue(
          value.data.some((v) => v !== 0),
          name
        )
    }
    // The forward operations of the blocks are there twice.
    assert.isAbove(again.operations, kept.operations)
  }).pipe(onCpu)
)
