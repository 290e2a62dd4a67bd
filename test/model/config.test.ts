import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { decodeStrictly } from "../../src/Config/Decode.ts"
import { ModelConfig, makeNetwork } from "../../src/Model.ts"

const data = { classes: 10, size: { height: 32, width: 32 } }

const problem = (config: unknown) => Effect.flip(decodeStrictly(ModelConfig, config))

describe("a model's configuration", () => {
  it.effect.each<readonly [name: string, config: unknown, classes: number]>([
    [
      "PyramidNet-29 α36 bottleneck + ShakeDrop",
      {
        ...{ _tag: "PyramidNet", block: "bottleneck", depth: 29, alpha: 36, classes: 100 },
        shakeDrop: { survival: 0.5 }
      },
      100
    ],
    ["WRN-16-1", { _tag: "WideResNet", depth: 16, widenFactor: 1, classes: 100 }, 100],
    ["PyramidNet-110 α84", { _tag: "PyramidNet", block: "basic", depth: 110, alpha: 84 }, 10],
    ["PyramidNet-20 α24 bottleneck", { _tag: "PyramidNet", depth: 20, alpha: 24 }, 10],
    ["WRN-28-10 + dropout", { _tag: "WideResNet", depth: 28, widenFactor: 10, dropRate: 0.3 }, 10],
    ["PreActResNet-110", { _tag: "PreActResNet", depth: 110 }, 10],
    ["DenseNet-BC-100-12", { _tag: "DenseNet", depth: 100, growth: 12 }, 10],
    [
      "ViT-B/16",
      { _tag: "VisionTransformer", patchSize: 16, embedDim: 768, depth: 12, numHeads: 12, resize: 224 },
      10
    ],
    ["airbench 64/256/256", { _tag: "Airbench", widths: [64, 256, 256] }, 10]
  ])("names %s", ([name, config, classes]) =>
    Effect.gen(function* () {
      const network = makeNetwork(yield* decodeStrictly(ModelConfig, config), data)
      assert.strictEqual(network.name, name)
      assert.strictEqual(network.classes, classes)
    })
  )

  it.effect.each<readonly [config: unknown, message: RegExp]>([
    [{ _tag: "PyramidNet", block: "basic", depth: 29, alpha: 36 }, /^depth: .*6n \+ 2.*not 29/],
    [{ _tag: "PyramidNet", block: "bottleneck", depth: 110, alpha: -1 }, /^alpha: .*got -1/],
    [{ _tag: "PyramidNet", block: "bottleneck", depth: 28, alpha: 1 }, /^depth: .*9n \+ 2.*not 28/],
    [{ _tag: "PyramidNet", block: "wide", depth: 20, alpha: 1 }, /^block: .*got "wide"/],
    [{ _tag: "PreActResNet", depth: 34 }, /^depth: .*18 or 6n \+ 2.*not 34/],
    [{ _tag: "WideResNet", depth: 16, widenFactor: 1, dropRate: 1 }, /^dropRate: .*got 1/],
    [{ _tag: "WideResNet", depth: 16, widenFactor: 1, dropOut: 0.3 }, /^dropOut is not a known key/],
    [{ _tag: "DenseNet", depth: 101, growth: 12 }, /^depth: .*6n \+ 4.*not 101/],
    [
      { _tag: "VisionTransformer", patchSize: 4, embedDim: 100, depth: 2, numHeads: 3 },
      /^numHeads: .*embedDim \(100\).*not 3/
    ],
    [
      { _tag: "VisionTransformer", patchSize: 16, embedDim: 96, depth: 2, numHeads: 3, resize: 8 },
      /^resize: .*\(16\).*not 8/
    ],
    [{ _tag: "Airbench", widths: [64, 256] }, /^widths/],
    [{ _tag: "Airbench", widths: [64, 256, 256], logitScale: 0 }, /^logitScale: .*got 0/],
    [{ _tag: "AlexNet" }, /_tag|AlexNet/]
  ])("%j is refused with the key at fault", ([config, message]) =>
    Effect.gen(function* () {
      assert.match((yield* problem(config)).message, message)
    })
  )
})
