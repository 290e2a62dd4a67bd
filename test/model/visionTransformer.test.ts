import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { visionTransformer } from "../../src/Model.ts"
import { float32, type HostTensor } from "../../src/Tensor/HostTensor.ts"
import { distance } from "../support/Fixtures.ts"
import { normals } from "../support/Normals.ts"
import { logitsOf } from "../support/Reference.ts"

const random = (shape: ReadonlyArray<number>, stream: string) => normals(1, stream, shape)

/** Images [N,H,W,C] at side × side pixels: bilinear between the centres of pixels, beyond which the border's go on. */
const enlarged = ({ data, shape }: HostTensor<"float32">, side: number): HostTensor<"float32"> => {
  const [count, height, width, channels] = shape
  const place = (i: number, size: number) => {
    const at = Math.min(Math.max(((i + 0.5) * size) / side - 0.5, 0), size - 1)
    const before = Math.min(Math.floor(at), Math.max(size - 2, 0))
    return { before, after: Math.min(before + 1, size - 1), share: at - before }
  }
  const result = float32([count, side, side, channels])
  for (let i = 0; i < result.data.length; i++) {
    const channel = i % channels
    const x = place(Math.floor(i / channels) % side, width)
    const y = place(Math.floor(i / (channels * side)) % side, height)
    const image = Math.floor(i / (channels * side * side))
    const pixel = (row: number, column: number) =>
      data[((image * height + row) * width + column) * channels + channel]
    const line = (row: number) => (1 - x.share) * pixel(row, x.before) + x.share * pixel(row, x.after)
    result.data[i] = (1 - y.share) * line(y.before) + y.share * line(y.after)
  }
  return result
}

it.effect.each([
  { height: 8, width: 8 },
  { height: 5, width: 7 },
  { height: 1, width: 3 }
])("images of $height×$width are resized bilinearly in the graph", (size) =>
  Effect.gen(function* () {
    const options = { patchSize: 4, embedDim: 12, depth: 1, numHeads: 2, classes: 5 }
    const side = 20
    const resizing = visionTransformer({ ...options, size, resize: side })
    const plain = visionTransformer({ ...options, size: { height: side, width: side } })
    const weights = Object.fromEntries(
      plain.tensors.map(({ name, shape }) => [name, random(shape, name)] as const)
    )
    const images = random([3, size.height, size.width, 3], "images")
    const logits = yield* logitsOf(resizing, weights, images)
    const expected = yield* logitsOf(plain, weights, enlarged(images, side))
    assert.isBelow(distance(logits, expected), 1e-4)
    const other = yield* logitsOf(plain, weights, enlarged(random(images.shape, "others"), side))
    assert.isAbove(distance(logits, other), 1e-1)
  })
)
