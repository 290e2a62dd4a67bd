import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { costOfEpochs, scaleAt } from "../../src/Config/Resizing.ts"
import { merge } from "../../src/Config.ts"
import { decodeExperiment, type ExperimentInput } from "../../src/Experiment.ts"
import { float32 } from "../../src/Tensor/HostTensor.ts"
import { resize } from "../../src/Train/Step/Resize.ts"
import { evaluate } from "../support/OnCpu.ts"
import { colours, curves, newest, runsOn, temporary } from "../support/Runs.ts"

const dataset = colours()
const { interrupted, run } = runsOn(dataset)

const input: ExperimentInput = {
  name: "resized",
  data: { dataset: "shapes" },
  augment: [],
  model: { _tag: "WideResNet", depth: 10, widenFactor: 1 },
  train: {
    epochs: 4,
    batchSize: 32,
    learningRate: 0.1,
    schedule: { _tag: "Cosine" },
    progressiveResizing: [
      { until: 1, scale: 0.5 },
      { until: 2, scale: 0.75 }
    ]
  }
}

/** 4×4 squares of 0 … 15, and what PyTorch's `interpolate(mode="bilinear", align_corners=False)` makes of them. */
const squares = Float32Array.from({ length: 16 }, (_, i) => i * i)
const GOLDEN = {
  2: [10.5, 24.5, 114.5, 160.5],
  3: [3.0555558, 7.1666675, 14.6111126, 42.1666641, 60.5, 82.1666718, 134.6111145, 167.166687, 203.0555725]
}

describe("resizing", () => {
  it.effect.each([2, 3] as const)("to %s of 4 pixels is PyTorch's", (side) =>
    Effect.gen(function* () {
      const channels = Float32Array.from({ length: 48 }, (_, i) => squares[Math.floor(i / 3)] + (i % 3))
      const { small } = yield* evaluate({ x: float32([1, 4, 4, 3], channels) }, ({ x }) => ({
        small: resize(x, { height: side, width: side })
      }))
      assert.deepStrictEqual(small.shape, [1, side, side, 3])
      for (const [i, value] of Array.from(small.data).entries()) {
        assert.closeTo(value, GOLDEN[side][Math.floor(i / 3)] + (i % 3), 1e-4)
      }
    })
  )

  it("is progressive: a scale lasts until its epoch, and costs its pixels", () => {
    const stages = [
      { until: 1, scale: 0.5 },
      { until: 3, scale: 0.75 }
    ]
    const scales = Array.from({ length: 5 }, (_, epoch) => scaleAt(stages, epoch))
    assert.deepStrictEqual(scales, [0.5, 0.75, 0.75, 1, 1])
    assert.strictEqual(costOfEpochs(stages, 0, 5), 0.25 + 2 * 0.5625 + 2)
    assert.strictEqual(costOfEpochs(stages, 2, 4), 0.5625 + 1)
    assert.strictEqual(costOfEpochs([], 0, 5), 5)
  })

  it.effect.each([
    [[{ until: 4, scale: 0.5 }], /whole images in the last of 4 epochs/],
    [[{ until: 1, scale: 0.25 }], /between 0\.5 and 1/],
    [
      [
        { until: 2, scale: 0.5 },
        { until: 1, scale: 0.75 }
      ],
      /rising order/
    ]
  ] as const)("%j is refused", ([progressiveResizing, reason]) =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(
        decodeExperiment(merge(input, { train: { progressiveResizing } }))
      )
      assert.match(message, reason)
    })
  )

  it.effect("is refused for a network whose positions are those of one size", () =>
    Effect.gen(function* () {
      const model = { _tag: "VisionTransformer", depth: 2, embedDim: 24, numHeads: 2, patchSize: 4 }
      const { message } = yield* Effect.flip(decodeExperiment(merge(input, { model })))
      assert.match(
        message,
        /progressiveResizing: expected none, for a VisionTransformer takes images of one size/
      )
    })
  )

  it.live("changes what a run learns; interrupted in a stage it ends with the same bits", () =>
    Effect.gen(function* () {
      const config = yield* decodeExperiment(input)
      const { progressiveResizing: _, ...train } = config.train
      const whole = { ...config, train }
      const [a, b, c] = [yield* temporary, yield* temporary, yield* temporary]
      yield* run(config, a)
      yield* interrupted(config, b, 5, false)
      yield* run(config, b, { resume: true })
      yield* run(whole, c)
      assert.isTrue(newest(a).equals(newest(b)))
      assert.deepStrictEqual(yield* curves(b), yield* curves(a))
      assert.isFalse(newest(a).equals(newest(c)))
    })
  )
})

describe("views", () => {
  it.live("of the test images give a second accuracy; that of the image alone is the first", () =>
    Effect.gen(function* () {
      const accuracy = Effect.fnUntraced(function* (views: unknown) {
        const config = yield* decodeExperiment(merge(input, { train: { epochs: 3, tta: views } }))
        const { result } = yield* run(config, yield* temporary)
        return result
      })
      const alone = yield* accuracy("identity")
      assert.strictEqual(alone.overViews?.views, 1)
      assert.strictEqual(alone.overViews?.accuracy, alone.accuracy)
      assert.closeTo(alone.overViews?.loss ?? 0, alone.loss, 1e-6)
      const several = yield* accuracy("airbench")
      assert.strictEqual(several.overViews?.views, 6)
      assert.strictEqual(several.loss, alone.loss)
      assert.notStrictEqual(several.overViews?.loss, alone.loss)
    })
  )
})
