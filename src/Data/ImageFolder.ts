/**
 * A user's own images: a folder for each class, read through sharp and kept decoded in the cache, so that the
 * second start reads one file.
 */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { message, publisher, warning } from "../Events.ts"
import { oneLine, someOf } from "../Platform/Text.ts"
import {
  cacheFile,
  checkWritable,
  type DecodedFolder,
  readCache,
  removeHalfWritten,
  writeCache
} from "./ImageFolder/Cache.ts"
import { decodeImages, unreadableError } from "./ImageFolder/Decode.ts"
import { keyOf } from "./ImageFolder/Key.ts"
import { type FoundImage, type FoundImages, scanFolder } from "./ImageFolder/Scan.ts"
import type { LabelledImages } from "./Labelled.ts"
import { stratifiedSplit } from "./Split.ts"
import { DataError } from "./Types.ts"

export interface FolderOptions {
  /** Height and width that every image is resized to, in pixels. */
  readonly size: readonly [height: number, width: number]
  /** Leave unreadable images out, with a warning, instead of failing at the first one. */
  readonly skipUnreadable: boolean
}

/** Unreadable images that a warning names; the others are counted. */
const NAMED = 5

/** Images of each split as they lie in folders, where there is a folder of them. */
type Splits = Pick<FoundImages, "train" | "validation"> & { readonly test: ReadonlyArray<FoundImage> }

/**
 * Without a test folder a tenth of the training images, the same share of each class, is the test set. It is always the
 * same tenth, so that no choice made with a run's seed can reach it.
 */
const splitOff = Effect.fnUntraced(function* (root: string, found: FoundImages) {
  const { classes, test, train, validation } = found
  if (test !== undefined) return { train, validation, test } satisfies Splits
  if (train.length === classes.length)
    return yield* new DataError({
      message: `${root} has no test folder, and one image in each class: none can be taken for a test set; add images, or a folder test`
    })
  const labels = Uint16Array.from(train, (image) => image.label)
  const tenth = Math.max(1, Math.round(labels.length / 10))
  const split = yield* stratifiedSplit(labels, classes, tenth, 0)
  const take = (indices: Uint32Array) => Array.from(indices, (i) => train[i])
  return { train: take(split.train), validation, test: take(split.validation) } satisfies Splits
})

const decodeFolder = Effect.fnUntraced(function* (root: string, found: FoundImages, options: FolderOptions) {
  const { test: forTest, train: forTraining, validation: given } = yield* splitOff(root, found)
  const total = forTraining.length + (given ?? []).length + forTest.length
  const publish = yield* publisher
  let done = 0
  const decode = (images: ReadonlyArray<FoundImage>) =>
    decodeImages(root, images, {
      height: options.size[0],
      width: options.size[1],
      skipUnreadable: options.skipUnreadable,
      onDecoded: () => publish({ _tag: "Decoded", done: ++done, total })
    })
  // Those for validation lie behind those for training, as if they had been held out of them.
  const { skipped, ...train } = yield* decode([...forTraining, ...(given ?? [])])
  const { skipped: skippedTest, ...test } = yield* decode(forTest)
  const ofTraining = new Set(forTraining.map((image) => image.path))
  const lost = skipped.filter((image) => !ofTraining.has(image.path)).length
  const folder: DecodedFolder = {
    classes: found.classes,
    train,
    ...(given !== undefined && { validation: given.length - lost }),
    test,
    skipped: [...skipped, ...skippedTest]
  }
  return folder
})

/** Decoded images out of the cache, else out of the files, and then kept in the cache. */
const cached = Effect.fnUntraced(function* (root: string, found: FoundImages, options: FolderOptions) {
  const { versions } = (yield* Effect.promise(() => import("sharp"))).default
  const file = cacheFile(yield* keyOf(root, found, options.size, [versions.sharp, versions.vips]))
  yield* removeHalfWritten
  const kept = yield* readCache(file)
  if (Option.isSome(kept)) return kept.value
  yield* checkWritable(file)
  const folder = yield* decodeFolder(root, found, options)
  yield* writeCache(file, folder)
  return folder
})

/** Every class must have kept a training image, and there must be something to measure on. */
const checkNotEmpty = Effect.fnUntraced(function* (
  root: string,
  { classes, test, train, validation }: DecodedFolder
) {
  const present = new Set(train.labels.subarray(0, train.labels.length - (validation ?? 0)))
  const empty = classes.find((_, label) => !present.has(label))
  if (empty !== undefined)
    return yield* new DataError({
      message: `no training image of the class "${empty}" in ${root} can be read: add some`
    })
  const none = test.labels.length === 0 ? "test" : validation === 0 ? "validation" : undefined
  if (none !== undefined)
    return yield* new DataError({ message: `no ${none} image in ${root} can be read: add some` })
})

/** Tells of classes that nothing will be measured on. */
const tellUnmeasured = Effect.fnUntraced(function* (
  root: string,
  what: "test" | "validation",
  labels: Uint16Array,
  classes: ReadonlyArray<string>
) {
  const present = new Set(labels)
  const missing = classes.filter((_, label) => !present.has(label))
  if (missing.length > 0)
    yield* warning(
      `${root} has no ${what} images of ${missing.length} of its ${classes.length} classes (${someOf(missing)}): nothing is measured on them`
    )
})

/**
 * Loads an image folder: `train/<class>/*` and `test/<class>/*`, perhaps `val/<class>/*`, or `<class>/*` alone, and what
 * lies in folders within these. Classes are the sorted folder names. Images are what sharp decodes: JPEG, PNG, WebP, GIF,
 * TIFF, AVIF and SVG, by their names or their first bytes. What is left out is told. Without test images a fixed tenth
 * of the training images, the same share of each class, becomes the test set, and that is told. Named after the folder.
 *
 * Decoded images are cached by the files' names, sizes, inodes, times of change, and bytes of each.
 *
 * @errors StorageError for a missing folder; DataError for an empty class, a test class without training
 * images, an unreadable image unless `skipUnreadable`, or a cache that cannot be written.
 */
export const imageFolder = Effect.fn("imageFolder")(function* (directory: string, options: FolderOptions) {
  const root = path.resolve(directory)
  const found = yield* scanFolder(root)
  const { skipped, ...folder } = yield* cached(root, found, options).pipe(
    Effect.tap((folder) => checkNotEmpty(root, folder))
  )
  if (skipped.length > 0) {
    if (!options.skipUnreadable) return yield* unreadableError(root, skipped[0])
    const named = skipped.map((image) => `${image.path} (${image.reason})`)
    yield* warning(`skipped ${skipped.length} unreadable image(s) of ${root}: ${someOf(named, NAMED)}`)
  }
  if (found.test === undefined)
    yield* message(
      `${root} has no test folder: ${folder.test.labels.length} of its ${found.train.length} images, a fixed tenth of each class, are the test set`
    )
  const { classes, test, train, validation } = folder
  yield* tellUnmeasured(root, "test", test.labels, classes)
  if (validation !== undefined)
    yield* tellUnmeasured(root, "validation", train.labels.subarray(-validation), classes)
  const labelled: LabelledImages = { name: oneLine(path.basename(root)), ...folder }
  return labelled
})
