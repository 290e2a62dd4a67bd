/**
 * Finds the images of a folder, their classes and their splits, without decoding them.
 */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { message } from "../../Events.ts"
import { someOf } from "../../Platform/Text.ts"
import { DataError, type SplitName } from "../Types.ts"
import { type LeftOut, leftOutLines, tellLeftOut } from "./LeftOut.ts"
import { contentsOf, imagesBelow } from "./Walk.ts"

export interface FoundImage {
  /** Path below the scanned folder. */
  readonly path: string
  readonly label: number
}

export interface FoundImages {
  readonly classes: ReadonlyArray<string>
  readonly train: ReadonlyArray<FoundImage>
  /** Undefined where there is no folder of them. */
  readonly validation: ReadonlyArray<FoundImage> | undefined
  readonly test: ReadonlyArray<FoundImage> | undefined
}

/** What folders of splits are called, for instance `train`, `Training`, `test_set`, `val`. */
const SPLITS: Readonly<Record<SplitName, RegExp>> = {
  train: /^train(ing)?([ _-]?(set|data|images))?$/i,
  validation: /^val(id|idation)?([ _-]?(set|data|images))?$/i,
  test: /^test(ing)?([ _-]?(set|data|images))?$/i
}

const splitOf = (name: string): SplitName | undefined =>
  (["train", "validation", "test"] as const).find((split) => SPLITS[split].test(name))

const HOW = "an image folder has <class>/*.png, or train/<class>/*.png and test/<class>/*.png"

const several = (count: number, noun: string, plural = `${noun}s`): string =>
  `${count.toLocaleString("en-GB")} ${count === 1 ? noun : plural}`

const STRAY = {
  what: "stray image",
  why: "it has no class: it lies beside the class folders, not in one"
} as const

const UNUSED = {
  what: "folder",
  why: "its name is none of those of training, validation and test images"
} as const

/** A folder whose folders are classes or splits: their names, how many images lie beside them, and what is left out. */
const listing = Effect.fnUntraced(function* (root: string, folder: string) {
  const { entries, leftOut } = yield* contentsOf(root, folder)
  const folders = entries.filter(({ isFolder }) => isFolder).map((entry) => path.basename(entry.path))
  const strays = entries.flatMap(
    (entry): Array<LeftOut> => (entry.isFolder ? [] : [{ path: path.join(root, entry.path), ...STRAY }])
  )
  return { folders, strays, leftOut: [...leftOut, ...strays] }
})

/** What is said of a folder that has too few classes: where they might be instead. */
const tooFew = Effect.fnUntraced(function* (
  root: string,
  parent: string,
  folders: ReadonlyArray<string>,
  strays: number
) {
  const here = path.join(root, parent)
  if (folders.length === 1) {
    const within = (yield* listing(root, path.join(parent, folders[0]))).folders
    if (within.length > 0)
      return `${here} has one folder only, ${folders[0]}, which has ${several(within.length, "folder")} (${someOf(within)}): if these are what is meant, give ${path.join(here, folders[0])}`
  }
  const alone = strays > 0 ? `, and ${several(strays, "image")} that lie in none` : ""
  return `${here} has ${folders.length} class folder(s)${alone}: at least 2 are needed; ${HOW}`
})

/** The images of the class folders of a split. */
const scanClasses = Effect.fnUntraced(function* (
  root: string,
  parent: string,
  folders: ReadonlyArray<string>,
  classes: ReadonlyArray<string>
) {
  const images: Array<FoundImage> = []
  const leftOut: Array<LeftOut> = []
  for (const folder of folders) {
    const found = yield* imagesBelow(root, path.join(parent, folder))
    if (found.images.length === 0) {
      const lines = leftOutLines(found.leftOut)
      const others = lines.length === 0 ? "" : ` (${lines.join("; ")})`
      return yield* new DataError({
        message: `the class folder ${path.join(root, parent, folder)} has no images${others}: add some or remove it`
      })
    }
    const label = classes.indexOf(folder)
    for (const image of found.images) images.push({ path: image, label })
    for (const left of found.leftOut) leftOut.push(left)
  }
  return { images, leftOut }
})

/** The names of the folders of splits; none where the folder's own folders are the classes. */
const splitFolders = Effect.fnUntraced(function* (root: string, folders: ReadonlyArray<string>) {
  const names: Partial<Record<SplitName, string>> = {}
  for (const folder of folders) {
    const split = splitOf(folder)
    if (split === undefined) continue
    const other = names[split]
    if (other !== undefined)
      return yield* new DataError({
        message: `${root} has both ${other} and ${folder} for its ${split} images: leave one of them`
      })
    names[split] = folder
  }
  if (names.train !== undefined) return names
  // `valid` may be a class, beside `invalid`; a split has folders of classes.
  const { test, validation } = names
  const holdsClasses = validation !== undefined && (yield* listing(root, validation)).folders.length > 0
  const alone = test ?? (holdsClasses ? validation : undefined)
  if (alone === undefined) return {}
  return yield* new DataError({
    message: `the image folder ${root} has a folder ${alone} but no folder train: put the training images into ${path.join(root, "train")}/<class>/`
  })
})

/** The classes of the images for validation or for testing must be among those of the training images. */
const checkClasses = Effect.fnUntraced(function* (
  root: string,
  [folder, train]: readonly [folder: string, train: string],
  found: ReadonlyArray<string>,
  classes: ReadonlyArray<string>
) {
  const unknown = found.find((name) => !classes.includes(name))
  if (unknown !== undefined) {
    // Upper case, and accents that macOS writes as letters of their own, make names that look alike differ.
    const plain = (name: string) => name.normalize("NFC").toLowerCase()
    const alike = classes.find((name) => plain(name) === plain(unknown))
    const difference =
      alike === undefined
        ? ""
        : ` ("${alike}" there differs from it in upper case or in how accents are written)`
    return yield* new DataError({
      message: `the class "${unknown}" of ${path.join(root, folder)} is not among the ${classes.length} classes of ${path.join(root, train)}${difference}: both must use the same folder names`
    })
  }
  if (found.length === 0)
    return yield* new DataError({
      message: `${path.join(root, folder)} has no class folders: add ${folder}/<class>/*.png, or remove it and a tenth of the training images takes its place`
    })
})

/**
 * Folders within class folders belong to the class. Where no image lies in a class folder itself, something else may be
 * meant: it is said, or refused where the folders within are splits.
 */
const checkDepth = Effect.fnUntraced(function* (
  root: string,
  parent: string,
  images: ReadonlyArray<FoundImage>
) {
  const below = (image: FoundImage) => path.relative(parent, image.path).split(path.sep)
  if (images.some((image) => below(image).length === 2)) return
  const within = Array.from(new Set(images.map((image) => below(image)[1])))
  const [first] = images
  if (
    within.some((name) => splitOf(name) !== undefined) &&
    within.every((name) => splitOf(name) !== undefined)
  )
    return yield* new DataError({
      message: `the class folders of ${path.join(root, parent)} have folders ${someOf(within)} within them: splits come first, for instance train/${below(first)[0]}`
    })
  yield* message(
    `every image of ${path.join(root, parent)} lies in a folder within its class folder, for instance ${path.join(root, first.path)}, whose class is ${below(first)[0]}`
  )
})

/**
 * Lists `train/<class>/*`, `val/<class>/*` and `test/<class>/*`, or `<class>/*` where there is no folder of training
 * images. Folders within a class folder belong to it. Classes are the sorted names of the folders with training images;
 * labels count them from 0. Images are sorted by class and path. What is left out is told.
 *
 * @errors StorageError for a folder that cannot be listed, DataError for fewer than two classes, a class
 * without images, or a class of the test images that the training images lack.
 */
export const scanFolder = Effect.fn("scanFolder")(function* (root: string) {
  const top = yield* listing(root, "")
  const splits = yield* splitFolders(root, top.folders)
  const parent = splits.train ?? ""
  const unused = splits.train === undefined ? [] : top.folders.filter((name) => splitOf(name) === undefined)
  const within = splits.train === undefined ? top : yield* listing(root, splits.train)
  const classes = within.folders
  if (classes.length < 2)
    return yield* new DataError({ message: yield* tooFew(root, parent, classes, within.strays.length) })
  if (classes.length > 65_535)
    return yield* new DataError({
      message: `${path.join(root, parent)} has ${classes.length} class folders: at most 65535 can be told apart`
    })
  const train = yield* scanClasses(root, parent, classes, classes)
  yield* checkDepth(root, parent, train.images)

  const measured = Effect.fnUntraced(function* (folder: string | undefined) {
    if (folder === undefined) return { images: undefined, leftOut: [] }
    const { folders, leftOut } = yield* listing(root, folder)
    yield* checkClasses(root, [folder, parent], folders, classes)
    const found = yield* scanClasses(root, folder, folders, classes)
    return { images: found.images, leftOut: [...leftOut, ...found.leftOut] }
  })
  const validation = yield* measured(splits.validation)
  const test = yield* measured(splits.test)
  yield* tellLeftOut([
    ...unused.map((name): LeftOut => ({ path: path.join(root, name), ...UNUSED })),
    ...top.leftOut,
    ...(within === top ? [] : within.leftOut),
    ...train.leftOut,
    ...validation.leftOut,
    ...test.leftOut
  ])
  return {
    classes,
    train: train.images,
    validation: validation.images,
    test: test.images
  } satisfies FoundImages
})
