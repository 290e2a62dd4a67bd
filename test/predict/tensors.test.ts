import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { decodeStrictly } from "../../src/Config/Decode.ts"
import { ModelConfig, makeNetwork, weightsFor } from "../../src/Model.ts"
import { inputOf, predictTensors } from "../../src/Predict.ts"
import { float32, type HostTensor, int32 } from "../../src/Tensor/HostTensor.ts"
import { distance, readTensors } from "../support/Fixtures.ts"
import { onCpu } from "../support/OnCpu.ts"

const shakeDrop = { survival: 0.5 }

/** Repeated, so that there are more images than one run of the graph takes, and not a whole number of times as many. */
const repeated = ({ data, shape }: HostTensor, times: number): HostTensor => {
  const result = new Float32Array(times * data.length)
  for (let i = 0; i < times; i++) result.set(data, i * data.length)
  return float32([times * shape[0], ...shape.slice(1)], result)
}

describe("logits of tensors", () => {
  it.effect.each<readonly [fixture: string, config: unknown]>([
    ["wrn-10-2", { _tag: "WideResNet", depth: 10, widenFactor: 2, classes: 10, shakeDrop }],
    [
      "pyramidnet-20-a24",
      { _tag: "PyramidNet", block: "bottleneck", depth: 20, alpha: 24, classes: 10, shakeDrop }
    ],
    [
      "vit-2-24-p4",
      { _tag: "VisionTransformer", patchSize: 4, embedDim: 24, depth: 2, numHeads: 3, classes: 10 }
    ]
  ])("equal PyTorch's for %s", ([name, model]) =>
    Effect.gen(function* () {
      const fixture = readTensors(`${name}.safetensors`)
      const config = yield* decodeStrictly(ModelConfig, model)
      const [, , height, width] = fixture.input_nchw.shape
      const network = makeNetwork(config, { classes: 10, size: { height, width } })
      const weights = weightsFor(network, fixture)
      const one = yield* predictTensors(network, weights, fixture.input_nchw)
      assert.isBelow(distance(one, fixture.logits_eval), 1e-4)
      const many = yield* predictTensors(network, weights, repeated(fixture.input_nchw, 9))
      assert.isBelow(distance(many, repeated(fixture.logits_eval, 9)), 1e-4)
    }).pipe(onCpu)
  )

  it.effect("need an input of images", () =>
    Effect.gen(function* () {
      const x = float32([2, 3, 4, 5])
      assert.deepStrictEqual(yield* inputOf("X", { input: x }), x)
      const refusals: ReadonlyArray<readonly [Record<string, HostTensor>, RegExp]> = [
        [{ images: x, labels: int32([2]) }, /^X has no tensor named input: it has images, labels$/],
        [
          { input: float32([2, 4, 5, 3]) },
          /^X: input is float32\[2, 4, 5, 3\], but float32\[N, 3, .*wanted$/
        ],
        [{ input: int32([2, 3, 4, 5]) }, /^X: input is int32/],
        [{ input: float32([0, 3, 4, 5]) }, /^X: input is float32\[0, 3, 4, 5\]/],
        [{ input: float32([1, 3, 1, 1], Float32Array.of(0, Number.NaN, 0)) }, /^X: input holds a NaN/],
        [
          { input: float32([1, 3, 1, 1], Float32Array.of(0, 0, 1 / 0)) },
          /^X: input holds a NaN or an infinity/
        ]
      ]
      for (const [tensors, message] of refusals) {
        assert.match((yield* Effect.flip(inputOf("X", tensors))).message, message)
      }
    })
  )
})
