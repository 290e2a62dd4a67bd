import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { makeTrace } from "../../src/Augment/Batch/Breadcrumbs.ts"
import { compile } from "../../src/Augment/Compile.ts"
import { makeCanvas } from "../../src/Augment/Kernel/Canvas.ts"
import { LevelledPolicy } from "../../src/Augment/Policy/LevelledPolicy.ts"
import { POLICY_NAMES } from "../../src/Augment/Policy/Policy.ts"
import { steps } from "../../src/Augment/Steps.ts"
import { oneOf } from "../../src/Config/Registered.ts"
import { draws } from "../../src/Random.ts"
import { int } from "./support.ts"

/** The same bytes, but reading or writing outside of them, or storing what is not a number, throws. */
const guarded = (bytes: Uint8Array): Uint8Array =>
  new Proxy(bytes, {
    get: (target, key) => {
      if (typeof key === "string" && /^-?[\d.]+$|NaN/.test(key)) {
        if (!(Number(key) in target)) throw new Error(`read outside at ${key}`)
        return target[Number(key)]
      }
      const value = Reflect.get(target, key, target)
      return typeof value === "function" ? value.bind(target) : value
    },
    set: (target, key, value) => {
      if (!(Number(key) in target)) throw new Error(`wrote outside at ${String(key)}`)
      if (!Number.isFinite(value)) throw new Error(`wrote ${value}`)
      target[Number(key)] = value
      return true
    }
  })

const Steps = Schema.Array(
  Schema.Union([
    oneOf(steps.filter(({ name, on }) => on === "image" && name !== "AutoAugment")),
    Schema.TaggedStruct("AutoAugment", {
      policy: Schema.Union([Schema.Literals(POLICY_NAMES), LevelledPolicy]),
      fill: Schema.Tuple([int(0, 255), int(0, 255), int(0, 255)])
    })
  ])
).check(Schema.isMinLength(1), Schema.isMaxLength(5))

describe("pipelines of random steps on images of random size", () => {
  it.prop(
    "never throw, read or write outside of the image, nor leave a byte unwritten",
    { steps: Steps, height: int(1, 64), width: int(1, 64), seed: int(0, 4_294_967_295), epoch: int(0, 2000) },
    ({ epoch, height, seed, steps, width }) => {
      // More bins or holes than this take long, and nothing else.
      if (steps.some((step) => ("bins" in step && step.bins > 500) || ("holes" in step && step.holes > 20)))
        return
      if (steps.some((step) => "n" in step && step.n > 10)) return
      const results = [0, 255].map((spare) => {
        const plain = makeCanvas(height, width)
        const start = draws(seed, "pixels")
        plain.pixels.forEach((_, i) => {
          plain.pixels[i] = start.int(256)
        })
        plain.spare.fill(spare)
        const canvas = { ...plain, pixels: guarded(plain.pixels), spare: guarded(plain.spare) }
        const { augment } = compile(steps, {
          seed,
          size: { height, width },
          mean: [1, 2, 3],
          trace: makeTrace()
        })
        augment(canvas, epoch, 12)
        return Array.from({ length: height * width * 3 }, (_, i) => canvas.pixels[i])
      })
      assert.deepStrictEqual(results[0], results[1])
    },
    { arbitrary: { runs: 300 }, timeout: 120_000 }
  )

  it.prop(
    "mixing stays within the batch and between the two images",
    {
      step: oneOf(steps.filter(({ on }) => on === "batch")),
      height: int(1, 64),
      width: int(1, 64),
      seed: int(0, 10_000),
      a: int(0, 2),
      b: int(0, 2)
    },
    ({ a, b, height, seed, step, width }) => {
      const bytes = height * width * 3
      const start = draws(seed, "pixels")
      const from = Uint8Array.from({ length: 3 * bytes }, () => start.int(256))
      const to = new Uint8Array(3 * bytes)
      const { mixing } = compile([step], {
        seed,
        size: { height, width },
        mean: [1, 2, 3],
        trace: makeTrace()
      })
      const drawn = mixing?.(0, 0)
      if (drawn === undefined) return
      drawn.mix(guarded(from), guarded(to), a, b)
      for (let i = 0; i < 3 * bytes; i++) {
        const inside = i >= a * bytes && i < (a + 1) * bytes
        const [one, other] = [from[i], from[i + (b - a) * bytes]]
        if (inside) assert.isTrue(to[i] >= Math.min(one, other) && to[i] <= Math.max(one, other))
        else assert.strictEqual(to[i], 0)
      }
    },
    { arbitrary: { runs: 300 }, timeout: 120_000 }
  )
})
