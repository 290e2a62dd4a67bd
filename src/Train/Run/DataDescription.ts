/** What a run knows of the data that it was trained on, and how other data differ from it. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { LoadedDataset, Split } from "../../Data.ts"
import { someOf } from "../../Platform/Text.ts"
import { RunError } from "./RunError.ts"

const Channels = Schema.Tuple([Schema.Finite, Schema.Finite, Schema.Finite])

/** Numbers of images, one for each class. */
const Counts = Schema.Array(Schema.Int)

/** What is to be known of a data set to train, or use, a network on it. */
export const DataDescription = Schema.Struct({
  name: Schema.String,
  fingerprint: Schema.String,
  classes: Schema.Array(Schema.String),
  size: Schema.Struct({ height: Schema.Int, width: Schema.Int }),
  /** Images of each class; those held out for validation are among the training images. */
  images: Schema.Struct({ train: Counts, test: Counts }),
  /** Of the channels, for pixels in [0, 1]. */
  mean: Channels,
  std: Channels
})
export type DataDescription = typeof DataDescription.Type

const countsOf = (classes: number, splits: ReadonlyArray<Split>): ReadonlyArray<number> => {
  const counts = new Array<number>(classes).fill(0)
  for (const { indices, labels } of splits) for (const image of indices) counts[labels[image]]++
  return counts
}

export const describeData = (dataset: LoadedDataset): DataDescription => {
  const { classes, fingerprint, mean, name, std, test, train, validation } = dataset
  const { height, width } = train.images
  const images = {
    train: countsOf(classes.length, [train, validation]),
    test: countsOf(classes.length, [test])
  }
  return { name, fingerprint, classes, size: { height, width }, images, mean, std }
}

const total = (counts: ReadonlyArray<number>): number => counts.reduce((sum, count) => sum + count, 0)

const several = (count: number, what: string): string =>
  `${count.toLocaleString("en-GB")} ${what}${count === 1 ? "" : "s"}`

/** How the images of a split differ in number. */
const imagesDifference = (
  what: string,
  classes: ReadonlyArray<string>,
  before: ReadonlyArray<number>,
  after: ReadonlyArray<number>
): ReadonlyArray<string> => {
  const changes = classes.flatMap((name, k) => {
    const change = (after[k] ?? 0) - (before[k] ?? 0)
    return change === 0 ? [] : [{ name, change }]
  })
  if (changes.length === 0) return []
  const sum = total(after) - total(before)
  const count =
    sum === 0
      ? `as many ${what} images, with other labels`
      : several(Math.abs(sum), `${what} image`) + (sum > 0 ? " more" : " fewer")
  const named = changes.map(({ change, name }) => `${name} ${change > 0 ? "+" : "−"}${Math.abs(change)}`)
  return [`${count} (${someOf(named)})`]
}

/** What differs between two data sets, for a person; undefined where they are the same. */
export const dataDifference = (before: DataDescription, after: DataDescription): string | undefined => {
  if (before.fingerprint === after.fingerprint) return undefined
  const added = after.classes.filter((name) => !before.classes.includes(name))
  const gone = before.classes.filter((name) => !after.classes.includes(name))
  const { height, width } = after.size
  const resized = height !== before.size.height || width !== before.size.width
  const sameClasses = JSON.stringify(before.classes) === JSON.stringify(after.classes)
  const differences = [
    ...(added.length > 0 ? [`new classes ${someOf(added)}`] : []),
    ...(gone.length > 0 ? [`no longer classes ${someOf(gone)}`] : []),
    ...(!sameClasses && added.length + gone.length === 0 ? ["its classes are in another order"] : []),
    ...(resized ? [`images of ${height}×${width}, not ${before.size.height}×${before.size.width}`] : []),
    ...(sameClasses
      ? [
          ...imagesDifference("training", after.classes, before.images.train, after.images.train),
          ...imagesDifference("test", after.classes, before.images.test, after.images.test)
        ]
      : [])
  ]
  return differences.length === 0
    ? "as many images of each class, but other pixels or another order"
    : differences.join("; ")
}

/** Fails where a run was trained on other data. */
export const checkSameData = (
  directory: string,
  trainedOn: DataDescription,
  data: DataDescription
): Effect.Effect<void, RunError> => {
  const difference = dataDifference(trainedOn, data)
  if (difference === undefined) return Effect.void
  return Effect.fail(
    new RunError({
      reason: "OtherData",
      directory,
      message: `the run in ${directory} was trained on ${trainedOn.name}, but this data is ${data.name}, and is not the same: ${difference}`
    })
  )
}
