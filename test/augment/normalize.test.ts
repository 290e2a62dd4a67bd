import { assert, it } from "@effect/vitest"
import { normalize } from "../../src/Augment/Kernel/Normalize.ts"

it("normalize gives each channel mean 0 and standard deviation 1, to float32", () => {
  const mean = [0.4914, 0.4822, 0.4465] as const
  const std = [0.247, 0.2435, 0.2616] as const
  const pixels = Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3))
  const result = normalize(pixels, mean, std)
  pixels.forEach((value, i) => {
    assert.closeTo(result[i], (value / 255 - mean[i % 3]) / std[i % 3], 5e-7)
  })
  const out = new Float32Array(768)
  assert.strictEqual(normalize(pixels, mean, std, out), out)
  assert.deepStrictEqual(out, result)
})
