/**
 * Finds the images of a folder and their classes, without reading them.
 */
import { statSync } from "node:fs"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { type StorageError, storageError } from "../../Platform/Files.ts"
import { DataError } from "../Types.ts"

export interface FoundImage {
  /** Path below the scanned folder. */
  readonly path: string
  readonly label: number
  /** Tells its contents from others that a file of this path had, or has elsewhere. */
  readonly state: string
}

export interface FoundImages {
  readonly classes: ReadonlyArray<string>
  readonly train: ReadonlyArray<FoundImage>
  /** Undefined when the folder has no `test` folder. */
  readonly test: ReadonlyArray<FoundImage> | undefined
}

const isImage = (name: string): boolean => !name.startsWith(".") && /\.(png|jpe?g|webp)$/i.test(name)

/**
 * A file's size, inode and times. A program can give a file any time of modification (mtime), and archives, builds and
 * copies do; that of its last change (ctime) only the system gives. Where a link leads to nothing there is no state;
 * reading the image will tell.
 */
const stateOf = (file: string): string => {
  const stats = statSync(file, { throwIfNoEntry: false, bigint: true })
  return stats === undefined ? "" : `${stats.size} ${stats.ino} ${stats.mtimeNs} ${stats.ctimeNs}`
}

/** The sorted names of the folders in a folder, hidden ones left out. */
const foldersIn = (directory: string): Effect.Effect<Array<string>, StorageError> =>
  Effect.tryPromise({
    try: async () => {
      const names: Array<string> = []
      for (const entry of await fs.readdir(directory, { withFileTypes: true })) {
        if (entry.name.startsWith(".")) continue
        const isFolder = entry.isSymbolicLink()
          ? statSync(path.join(directory, entry.name), { throwIfNoEntry: false })?.isDirectory() === true
          : entry.isDirectory()
        if (isFolder) names.push(entry.name)
      }
      return names.sort()
    },
    catch: storageError("read", directory)
  })

/** The images of one class, sorted by name. */
const imagesIn = (root: string, folder: string, label: number) =>
  Effect.tryPromise({
    try: async () =>
      (await fs.readdir(path.join(root, folder)))
        .filter(isImage)
        .sort()
        .map((name): FoundImage => {
          const relative = path.join(folder, name)
          return { path: relative, label, state: stateOf(path.join(root, relative)) }
        }),
    catch: storageError("read", path.join(root, folder))
  })

/** The images of all class folders below `parent`, which is a path below `root`. */
const scanClasses = Effect.fnUntraced(function* (
  root: string,
  parent: string,
  folders: ReadonlyArray<string>,
  classes: ReadonlyArray<string>
) {
  const found: Array<FoundImage> = []
  for (const folder of folders) {
    const images = yield* imagesIn(root, path.join(parent, folder), classes.indexOf(folder))
    if (images.length === 0)
      return yield* new DataError({
        message: `the class folder ${path.join(root, parent, folder)} has no images (png, jpg, jpeg or webp): add some or remove it`
      })
    for (const image of images) found.push(image)
  }
  return found
})

/**
 * Lists `train/<class>/*` and `test/<class>/*`, or `<class>/*` where there is no folder `train`. Classes are
 * the sorted names of the folders with training images; labels count them from 0. Images are sorted by class
 * and name.
 *
 * @errors StorageError for a folder that cannot be listed, DataError for fewer than two classes, a class
 * without images, or a class of the test images that the training images lack.
 */
export const scanFolder = Effect.fn("scanFolder")(function* (root: string) {
  const top = yield* foldersIn(root)
  const trainFolder = top.includes("train") ? "train" : ""
  const testFolder = top.includes("test") ? "test" : undefined
  if (testFolder !== undefined && trainFolder === "")
    return yield* new DataError({
      message: `the image folder ${root} has a folder test but no folder train: put the training images into ${path.join(root, "train")}/<class>/`
    })
  const classes = trainFolder === "" ? top : yield* foldersIn(path.join(root, trainFolder))
  if (classes.length < 2 || classes.length > 65_535)
    return yield* new DataError({
      message: `${path.join(root, trainFolder)} has ${classes.length} class folder(s): an image folder needs between 2 and 65535, as <class>/*.png, or train/<class>/*.png and test/<class>/*.png`
    })
  const train = yield* scanClasses(root, trainFolder, classes, classes)
  if (testFolder === undefined) return { classes, train, test: undefined }

  const testClasses = yield* foldersIn(path.join(root, testFolder))
  const unknown = testClasses.find((name) => !classes.includes(name))
  if (unknown !== undefined)
    return yield* new DataError({
      message: `the class "${unknown}" of ${path.join(root, testFolder)} is not among the ${classes.length} classes of ${path.join(root, trainFolder)}: both must use the same folder names`
    })
  if (testClasses.length === 0)
    return yield* new DataError({
      message: `${path.join(root, testFolder)} has no class folders: add test/<class>/*.png, or remove it and a tenth of the training images becomes the test set`
    })
  const test = yield* scanClasses(root, testFolder, testClasses, classes)
  return { classes, train, test } satisfies FoundImages
})
