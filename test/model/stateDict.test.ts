import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  fromPyTorch,
  type Network,
  pretrainedFor,
  toPyTorch,
  visionTransformer,
  WeightsError,
  weightsFor,
  wideResNet,
  wrapperIn
} from "../../src/Model.ts"
import { float32, int32, sizeOf, type TensorRecord } from "../../src/Tensor/HostTensor.ts"
import { channelsLast, distance, readTensors, under } from "../support/Fixtures.ts"
import { logitsOf } from "../support/Reference.ts"

const vit = (size: { readonly height: number; readonly width: number }, classes = 10) =>
  visionTransformer({ patchSize: 4, embedDim: 24, depth: 2, numHeads: 3, classes, size })

const square = { height: 16, width: 16 }

const refusal = (f: () => unknown): string => {
  try {
    f()
  } catch (cause) {
    assert.instanceOf(cause, WeightsError)
    return cause.message
  }
  return assert.fail("the weights were taken")
}

describe("weights of a file", () => {
  const network: Network = wideResNet({ depth: 10, widenFactor: 1, classes: 10, size: square })
  const weights = network.init(1)
  const file = toPyTorch(network, weights)

  it("are found by PyTorch's names, as they are and under `weights.`", () => {
    assert.deepStrictEqual(weightsFor(network, file), weights)
    const counted = { ...file, "bn1.num_batches_tracked": int32([]) }
    assert.deepStrictEqual(weightsFor(network, counted), weights)
    const checkpoint = { ...file, "ema/fc.bias": float32([10]), "momentum/fc.bias": float32([10]) }
    assert.deepStrictEqual(weightsFor(network, checkpoint), weights)
    const prefixed: TensorRecord = {
      ...Object.fromEntries(Object.entries(file).map(([name, value]) => [`weights.${name}`, value])),
      "grad.fc.bias": float32([10]),
      input_nchw: float32([1])
    }
    assert.deepStrictEqual(weightsFor(network, prefixed), weights)
  })

  it("are found under what other programs put before every name, one after another, and that is told", () => {
    const wrapped = (prefix: string): TensorRecord =>
      Object.fromEntries(Object.entries(file).map(([name, value]) => [`${prefix}${name}`, value]))
    for (const prefix of [
      "",
      "module.",
      "_orig_mod.",
      "model.",
      "state_dict.",
      "state_dict.model._orig_mod.module."
    ]) {
      for (const take of [weightsFor, pretrainedFor]) {
        assert.deepStrictEqual(take(network, wrapped(prefix)), weights)
      }
      assert.strictEqual(wrapperIn(network, wrapped(prefix)), prefix)
    }
    // Not where one name goes without it, where it is another word, or where the network's own names begin with it.
    assert.match(
      refusal(() => weightsFor(network, { ...wrapped("module."), "fc.bias": file["fc.bias"] })),
      /module\..* unknown to it/
    )
    assert.strictEqual(wrapperIn(network, wrapped("backbone.")), "")
    const tensors = network.tensors.map((spec) => ({ ...spec, name: `model.${spec.name}` }))
    const owned: Network = { ...network, tensors }
    assert.strictEqual(wrapperIn(owned, wrapped("model.")), "")
    assert.strictEqual(wrapperIn(owned, wrapped("module.model.")), "module.")
    assert.strictEqual(wrapperIn(network, wrapped("weights.")), "")
    assert.strictEqual(wrapperIn(network, {}), "")
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "with %s are refused, by the tensor's name",
    (value) => {
      const broken = { ...file, "fc.bias": float32([10], Float32Array.of(0, 0, 0, value, 0, 0, 0, 0, 0, 0)) }
      for (const take of [weightsFor, pretrainedFor]) {
        assert.strictEqual(
          refusal(() => take(network, broken)),
          "the weights hold a NaN or an infinity, in fc.bias"
        )
      }
      // What is not read does not matter.
      const elsewhere = { ...file, "momentum/fc.bias": broken["fc.bias"] }
      assert.deepStrictEqual(weightsFor(network, elsewhere), weights)
    }
  )

  it("of another network are refused, with what is missing, unknown and of another shape", () => {
    const { "fc.bias": _, ...without } = file
    assert.match(
      refusal(() => weightsFor(network, without)),
      /not those of WRN-10-1: fc\.bias missing$/
    )
    assert.match(
      refusal(() => weightsFor(network, { ...file, "fc.scale": float32([]) })),
      /fc\.scale unknown to it$/
    )
    const wider = wideResNet({ depth: 10, widenFactor: 2, classes: 10, size: square })
    assert.match(
      refusal(() => weightsFor(wider, file)),
      /block1\.layer\.0\.convShortcut\.weight missing; block1\.layer\.0\.conv1\.weight is float32\[16, 16, 3, 3\] instead of float32\[32, 16, 3, 3\], .* more$/
    )
    const deeper = wideResNet({ depth: 16, widenFactor: 1, classes: 10, size: square })
    assert.match(
      refusal(() => weightsFor(network, toPyTorch(deeper, deeper.init(1)))),
      /block1\.layer\.1\.bn1\.weight, .* more unknown to it$/
    )
    assert.match(
      refusal(() => weightsFor(network, { ...file, "fc.bias": int32([10]) })),
      /fc\.bias is int32\[10\] instead of float32\[10\]$/
    )
    assert.match(
      refusal(() => weightsFor(network, { ...file, "conv1.weight": int32([16, 3, 3, 3]) })),
      /conv1\.weight is int32\[16, 3, 3, 3\] instead of float32\[16, 3, 3, 3\]$/
    )
  })
})

describe("PyTorch's layouts", () => {
  const values = (shape: ReadonlyArray<number>) =>
    float32(
      shape,
      Float32Array.from({ length: sizeOf(shape) }, (_, i) => i)
    )
  const network = {
    tensors: [
      { name: "kernel", kind: "conv", shape: [1, 2, 3, 4] },
      { name: "in one direction", kind: "conv", shape: [2, 3, 4] },
      { name: "table", kind: "embedding", shape: [1, 2, 3, 4] }
    ]
  } as const
  const weights = Object.fromEntries(network.tensors.map(({ name, shape }) => [name, values(shape)]))

  it("differ for the kernels of convolutions, in whatever a state keeps of them, and for nothing else", () => {
    const state: TensorRecord = {
      ...weights,
      "ema/kernel": values([1, 2, 3, 4]),
      "momentum/table": values([1, 2, 3, 4])
    }
    const there = toPyTorch(network, state)
    for (const name of ["kernel", "ema/kernel"]) {
      assert.deepStrictEqual(there[name].shape, [4, 3, 1, 2])
      // [out 1, in 2, row 0, column 1] is [row 0, column 1, in 2, out 1].
      assert.strictEqual(there[name].data[1 * 6 + 2 * 2 + 0 + 1], 1 * 12 + 2 * 4 + 1)
    }
    assert.deepStrictEqual(there["in one direction"].shape, [4, 3, 2])
    assert.strictEqual(there["in one direction"].data[3 * 6 + 2 * 2 + 1], 1 * 12 + 2 * 4 + 3)
    for (const name of ["table", "momentum/table"]) assert.deepStrictEqual(there[name], state[name])
    assert.deepStrictEqual(fromPyTorch(network, there), state)
  })

  it("are not made of what is no kernel in spite of its name", () => {
    const other = { kernel: float32([4]), "in one direction": int32([2, 3, 4]) }
    assert.deepStrictEqual(fromPyTorch(network, other), other)
    assert.deepStrictEqual(toPyTorch(network, other), other)
  })
})

describe("published weights of a vision transformer", () => {
  const fixture = readTensors("vit-2-24-p4.safetensors")
  const other = { height: 24, width: 8 }

  it.effect("give timm's logits on images of another size, with positions resampled as timm does", () =>
    Effect.gen(function* () {
      const network = vit(other)
      const weights = pretrainedFor(network, fixture)
      assert.isBelow(distance(weights.pos_embed, fixture["resampled.pos_embed"]), 1e-6)
      const x = channelsLast(fixture["resampled.input_nchw"])
      const logits = yield* logitsOf(network, weights, x)
      assert.isBelow(distance(logits, fixture["resampled.logits"]), 1e-4)
    })
  )

  it("are taken as they are where nothing differs, and without the classifier for other classes", () => {
    const published = under(fixture, "weights.")
    assert.deepStrictEqual(pretrainedFor(vit(square), fixture), published)
    const { "head.bias": _, "head.weight": __, ...rest } = published
    assert.deepStrictEqual(pretrainedFor(vit(square, 100), fixture), rest)
  })

  it("of another width are refused", () => {
    const wider = visionTransformer({
      patchSize: 4,
      embedDim: 48,
      depth: 2,
      numHeads: 3,
      classes: 10,
      size: other
    })
    assert.match(
      refusal(() => pretrainedFor(wider, fixture)),
      /cls_token is float32\[1, 1, 24\] instead of float32\[1, 1, 48\]/
    )
  })
})
