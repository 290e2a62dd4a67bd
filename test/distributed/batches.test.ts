/** Batches that replicas share: together the same bytes as one device's, from the same draws. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Batch, makeAugmenter } from "../../src/Augment.ts"
import { placesOf } from "../../src/Distributed.ts"
import { colours } from "../support/Runs.ts"

const BATCH = 12
const dataset = colours(40)

const copied = ({ images, labelsA, labelsB, lambda }: Batch) =>
  structuredClone({ images, labelsA, labelsB, lambda })

for (const mixing of ["CutMix", "Mixup"] as const) {
  it.live(`the parts of a batch are those of the whole one, with ${mixing} across them`, () =>
    Effect.gen(function* () {
      const pipeline = [
        { _tag: "RandomCrop", padding: 2, mode: "reflect" },
        { _tag: "RandomHorizontalFlip", p: 0.5 },
        { _tag: mixing, alpha: 1, p: 0.9 }
      ] as never
      const batchesOf = Effect.fnUntraced(function* (places: Uint32Array | undefined) {
        const made: Array<ReturnType<typeof copied>> = []
        const augmenter = yield* makeAugmenter(dataset, { batchSize: BATCH, pipeline, seed: 3, places })
        yield* augmenter.run({ epoch: 1, from: 0 }, (batch) => Effect.sync(() => made.push(copied(batch))))
        return made
      }, Effect.scoped)
      const whole = yield* batchesOf(undefined)
      const bytes = whole[0].images.length / BATCH
      assert.isAbove(whole.length, 1)
      for (const parts of [1, 2]) {
        for (const index of [0, 1, 2]) {
          const places = placesOf({ index, count: 3 }, BATCH, parts)
          const own = yield* batchesOf(places)
          for (const [n, batch] of whole.entries()) {
            assert.deepStrictEqual(own[n], {
              images: Uint8Array.from(
                [...places].flatMap((i) => [...batch.images.subarray(i * bytes, (i + 1) * bytes)])
              ),
              labelsA: Int32Array.from(places, (i) => batch.labelsA[i]),
              labelsB: Int32Array.from(places, (i) => batch.labelsB[i]),
              lambda: Float32Array.from(places, (i) => batch.lambda[i])
            })
          }
        }
      }
    })
  )
}
