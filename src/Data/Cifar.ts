/**
 * CIFAR-10 and CIFAR-100 out of the published archives, packed or unpacked.
 *
 * Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
 */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { warning } from "../Events.ts"
import { findSource } from "./Cifar/Find.ts"
import { cifar10Formats, cifar100Formats, type Format, TEST, TRAIN } from "./Cifar/Format.ts"
import { checkLabels, joinRecords } from "./Cifar/Records.ts"
import { readSource } from "./Cifar/Source.ts"
import type { LabelledImages } from "./Labelled.ts"
import { DataError } from "./Types.ts"

/** CIFAR-100 has 100 fine classes in 20 coarse ones. */
export type CifarName = "cifar10" | "cifar100-fine" | "cifar100-coarse"

interface Published {
  /** As results call it. */
  readonly title: string
  /** As `shakedrop data download` calls it. */
  readonly download: "cifar10" | "cifar100"
  readonly classes: number
  readonly formats: ReadonlyArray<Format>
}

const published: Readonly<Record<CifarName, Published>> = {
  cifar10: { title: "CIFAR-10", download: "cifar10", classes: 10, formats: cifar10Formats },
  "cifar100-fine": {
    title: "CIFAR-100",
    download: "cifar100",
    classes: 100,
    formats: cifar100Formats("fine")
  },
  "cifar100-coarse": {
    title: "CIFAR-100 coarse",
    download: "cifar100",
    classes: 20,
    formats: cifar100Formats("coarse")
  }
}

/**
 * Loads the data set from a folder that holds the official archive (`cifar-10-binary.tar.gz`,
 * `cifar-10-python.tar.gz`, and so on), its unpacked folder, or the files themselves, or has a folder with them, as
 * torchvision's and Keras's. Unpacked files are preferred, and the binary version to the python version; both give the
 * same images in the same order.
 *
 * A part of the published images is loaded, too, but it is called a subset, with a warning.
 *
 * @errors StorageError for a folder or file that cannot be read; DataError where the data set is not there, a file
 * is missing, cut off or damaged, or a label is out of range.
 */
export const loadCifar = Effect.fn("loadCifar")(function* (name: CifarName, directory: string) {
  const { title, download, classes: count, formats } = published[name]
  const root = path.resolve(directory)
  const missing = new DataError({
    reason: "NotThere",
    dataset: download,
    path: directory,
    message: `${root} does not hold ${title}: expected ${formats.map(({ archive, folder }) => `${archive} or its folder ${folder}`).join(", or ")}`
  })
  const found = yield* findSource(root, formats, missing)
  const { format, place } = found
  const files = yield* readSource(found)

  const read = <A>(file: string, parse: (bytes: Buffer) => A): Effect.Effect<A, DataError> => {
    const bytes = files.get(file)
    if (bytes === undefined)
      return Effect.fail(
        new DataError({
          reason: "Damaged",
          message: `${file} is missing in ${place}`
        })
      )
    return Effect.try({
      try: () => parse(bytes),
      catch: (cause) =>
        new DataError({
          reason: "Damaged",
          message: `cannot use ${file} of ${place}: ${(cause as Error).message}`,
          cause
        })
    })
  }
  const readRecords = (file: string) =>
    read(file, (bytes) => {
      const records = format.readRecords(bytes)
      checkLabels(records, count)
      return records
    })

  const classes = yield* read(format.names, (bytes) => {
    const names = format.readNames(bytes)
    if (names.length !== count) throw new Error(`it names ${names.length} classes instead of ${count}`)
    return names
  })
  const train = joinRecords(yield* Effect.forEach(format.train, readRecords))
  const test = joinRecords([yield* readRecords(format.test)])
  const whole = train.images.count === TRAIN && test.images.count === TEST
  if (!whole)
    yield* warning(
      `${place} holds ${train.images.count} training and ${test.images.count} test images, but ${title} has ${TRAIN} and ${TEST}: results are of a subset`
    )
  const labelled: LabelledImages = { name: whole ? title : `${title} subset`, classes, train, test }
  return labelled
})
