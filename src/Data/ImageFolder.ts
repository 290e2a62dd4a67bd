/**
 * A user's own images: a folder for each class, read through sharp and kept decoded in the cache, so that the
 * second start reads one file.
 */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { publisher } from "../Events.ts"
import { sha256 } from "../Platform/Hash.ts"
import { someOf } from "../Platform/Text.ts"
import { cacheFile, checkWritable, type DecodedFolder, readCache, writeCache } from "./ImageFolder/Cache.ts"
import { decodeImages, unreadableError } from "./ImageFolder/Decode.ts"
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

/** Raised whenever other pixels come out of the same files, so that older caches are left alone. */
const VERSION = 1

/** Unreadable images that a warning names; the others are counted. */
const NAMED = 5

/** What the decoded images depend on: the files, the size asked for and the decoder. */
const keyOf = (found: FoundImages, size: FolderOptions["size"], decoder: unknown): string => {
  const chunks = function* () {
    yield JSON.stringify([VERSION, size, decoder, found.classes])
    for (const images of [found.train, found.test ?? []]) {
      yield `\n${images.length}\n`
      for (const image of images) yield `${JSON.stringify(image.path)} ${image.state}\n`
    }
  }
  return sha256(chunks())
}

/**
 * Training and test images. Without a test folder a tenth of the images, the same share of each class, is the
 * test set. It is always the same tenth, so that no choice made with a run's seed can reach it.
 */
const splitOff = Effect.fnUntraced(function* (found: FoundImages) {
  if (found.test !== undefined) return { train: found.train, test: found.test }
  const labels = Uint16Array.from(found.train, (image) => image.label)
  const tenth = Math.max(1, Math.round(labels.length / 10))
  const split = yield* stratifiedSplit(labels, found.classes, tenth, 0)
  const take = (indices: Uint32Array) => Array.from(indices, (i) => found.train[i])
  return { train: take(split.train), test: take(split.validation) }
})

const decodeFolder = Effect.fnUntraced(function* (root: string, found: FoundImages, options: FolderOptions) {
  const images = yield* splitOff(found)
  const total = images.train.length + images.test.length
  const publish = yield* publisher
  let done = 0
  const decode = (split: ReadonlyArray<FoundImage>) =>
    decodeImages(root, split, {
      height: options.size[0],
      width: options.size[1],
      skipUnreadable: options.skipUnreadable,
      onDecoded: () => publish({ _tag: "Decoded", done: ++done, total })
    })
  const { skipped, ...train } = yield* decode(images.train)
  const { skipped: skippedTest, ...test } = yield* decode(images.test)
  const folder: DecodedFolder = {
    classes: found.classes,
    train,
    test,
    skipped: [...skipped, ...skippedTest]
  }
  return folder
})

/** Decoded images out of the cache, else out of the files, and then kept in the cache. */
const cached = Effect.fnUntraced(function* (root: string, found: FoundImages, options: FolderOptions) {
  const { versions } = (yield* Effect.promise(() => import("sharp"))).default
  const file = cacheFile(keyOf(found, options.size, [versions.sharp, versions.vips]))
  const kept = yield* readCache(file)
  if (Option.isSome(kept)) return kept.value
  yield* checkWritable(file)
  const folder = yield* decodeFolder(root, found, options)
  yield* writeCache(file, folder)
  return folder
})

/** Every class must have kept a training image, and there must be something to test on. */
const checkNotEmpty = (root: string, folder: DecodedFolder): Effect.Effect<void, DataError> => {
  const present = new Set(folder.train.labels)
  const empty = folder.classes.find((_, label) => !present.has(label))
  if (empty !== undefined)
    return Effect.fail(
      new DataError({ message: `no training image of the class "${empty}" in ${root} can be read: add some` })
    )
  return folder.test.labels.length === 0
    ? Effect.fail(new DataError({ message: `no test image in ${root} can be read: add some` }))
    : Effect.void
}

/**
 * Loads an image folder: `train/<class>/*.{png,jpg,jpeg,webp}` and `test/<class>/*`, or `<class>/*` alone.
 * Classes are the sorted folder names. Without test images a fixed tenth of the training images, the same share of
 * each class, becomes the test set, and a log line says so. Named after the folder.
 *
 * Decoded images are cached by the files' names, sizes, inodes and times of change.
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
    yield* Effect.logWarning(
      `skipped ${skipped.length} unreadable image(s) of ${root}: ${someOf(named, NAMED)}`
    )
  }
  if (found.test === undefined)
    yield* Effect.logInfo(
      `${root} has no test folder: ${folder.test.labels.length} of its ${found.train.length} images, a fixed tenth of each class, are the test set`
    )
  const labelled: LabelledImages = { name: path.basename(root), ...folder }
  return labelled
})
