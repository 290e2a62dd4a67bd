/**
 * Holding a part of the training images out, the same share of each class.
 */
import * as Effect from "effect/Effect"
import { draws, shuffle } from "../Random.ts"
import { DataError, type LoadedDataset, type Split, type SplitName } from "./Types.ts"

/**
 * How many images of each class to hold out: shares as even as whole numbers allow, `wanted` in all, and at least
 * one image of each class left.
 */
const quotas = (counts: ReadonlyArray<number>, wanted: number): Array<number> => {
  const total = counts.reduce((a, b) => a + b, 0)
  const exact = counts.map((count) => (count * wanted) / total)
  const quota = exact.map(Math.floor)
  for (let missing = wanted - quota.reduce((a, b) => a + b, 0); missing > 0; missing--) {
    let next = -1
    for (let label = 0; label < counts.length; label++) {
      if (quota[label] + 1 >= counts[label]) continue
      if (next < 0 || exact[label] - quota[label] > exact[next] - quota[next]) next = label
    }
    quota[next]++
  }
  return quota
}

/**
 * Splits image indices into training and validation images, each sorted. Each class gives the same share of its
 * images, to within one image; which ones depends on the seed alone.
 *
 * @errors DataError where a class would be left without a training image.
 */
export const stratifiedSplit = Effect.fn("stratifiedSplit")(function* (
  labels: Uint16Array,
  classes: ReadonlyArray<string>,
  validation: number,
  seed: number
) {
  const members = classes.map((): Array<number> => [])
  labels.forEach((label, index) => {
    members[label].push(index)
  })
  const most = members.reduce((sum, { length }) => sum + Math.max(0, length - 1), 0)
  if (validation > most)
    return yield* new DataError({
      message: `cannot hold ${validation} of ${labels.length} training images out for validation: each class must keep one, so at most ${most} can be held out`
    })
  const quota = quotas(
    members.map(({ length }) => length),
    validation
  )
  const shuffled = members.map((indices, label) => shuffle(indices, draws(seed, "split", label)))
  const train = shuffled.flatMap((indices, label) => indices.slice(quota[label]))
  const held = shuffled.flatMap((indices, label) => indices.slice(0, quota[label]))
  return { train: Uint32Array.from(train).sort(), validation: Uint32Array.from(held).sort() }
})

/**
 * One of a data set's splits, to measure something on.
 *
 * @errors DataError where it has no images, of which there is no accuracy
 */
export const splitNamed = (dataset: LoadedDataset, name: SplitName): Effect.Effect<Split, DataError> =>
  dataset[name].indices.length > 0
    ? Effect.succeed(dataset[name])
    : Effect.fail(new DataError({ message: `${dataset.name} has no ${name} images to measure anything on` }))
