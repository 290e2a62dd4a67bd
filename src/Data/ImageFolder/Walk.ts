/**
 * The images below a folder, to all depths, by the names and first bytes of files: the one search for `data`, `train`
 * and `predict`. Only regular files are opened: a pipe would block, and a device might never end.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { type StorageError, storageError } from "../../Platform/Files.ts"
import { formatOf, formatOfName, isDecoded, promisesImage, START, whyNot } from "./Format.ts"
import type { LeftOut } from "./LeftOut.ts"

/** What lies in one folder. Paths are below the folder that the search began in. */
export interface Contents {
  /** Images and folders, sorted by name. */
  readonly entries: ReadonlyArray<{ readonly path: string; readonly isFolder: boolean }>
  readonly leftOut: ReadonlyArray<LeftOut>
  /** Tells the folder from others, whatever links lead to it. */
  readonly identity: string
}

export interface Found {
  readonly images: ReadonlyArray<string>
  readonly leftOut: ReadonlyArray<LeftOut>
}

/** What systems and tools put into folders: Finder, Explorer, archives made by macOS, network disks. */
const DROPPINGS = /^(\..*|__MACOSX|@eaDir|lost\+found|\$RECYCLE\.BIN|System Volume Information)$/
const DROPPED_FILES = /^(e?hthumbs(_vista)?\.db|thumbs\.db|desktop\.ini|icon\r)$/i

const isDropping = (name: string): boolean => DROPPINGS.test(name) || DROPPED_FILES.test(name)

type Kind = "folder" | "file" | "special" | "nothing" | "misnamed"

/** What an entry of a folder is, or leads to. */
const kindOf = (file: string, entry: fs.Dirent): Kind => {
  // Node decodes names; bytes that are not UTF-8 are lost, and the file is not found again.
  if (entry.name.includes("\ufffd") && fs.lstatSync(file, { throwIfNoEntry: false }) === undefined)
    return "misnamed"
  if (!entry.isSymbolicLink()) return entry.isFile() ? "file" : entry.isDirectory() ? "folder" : "special"
  try {
    const stats = fs.statSync(file)
    return stats.isFile() ? "file" : stats.isDirectory() ? "folder" : "special"
  } catch {
    return "nothing"
  }
}

const startOf = (file: string): Uint8Array => {
  const handle = fs.openSync(file, "r")
  try {
    const bytes = new Uint8Array(START)
    return bytes.subarray(0, fs.readSync(handle, bytes))
  } finally {
    fs.closeSync(handle)
  }
}

/** What a file is that does not promise an image by its name; undefined where it is one all the same. */
const otherFile = (file: string): Omit<LeftOut, "path"> | undefined => {
  let format = formatOfName(file)
  try {
    format ??= formatOf(startOf(file))
  } catch (cause) {
    return { what: "unreadable file", why: (cause as Error).message.replace(/, open .*/, "") }
  }
  if (isDecoded(format)) return undefined
  return format.endsWith(" image") || format === "Git LFS pointer"
    ? { what: format, why: `it is ${whyNot(format)}` }
    : { what: "other file", why: "it is not an image" }
}

const NOT_FILES: Readonly<Record<Exclude<Kind, "file" | "folder">, Omit<LeftOut, "path">>> = {
  special: { what: "special file", why: "a pipe, socket or device is not a regular file" },
  nothing: { what: "broken link", why: "there is nothing where it leads" },
  misnamed: {
    what: "unreadable name",
    why: "it is not UTF-8, so that what it names cannot be opened: rename it"
  }
}

const HIDDEN: Omit<LeftOut, "path"> = {
  what: "hidden or system file",
  why: "its name begins with a dot, or is one that systems give"
}

const identityOf = (folder: string): string => {
  const { dev, ino } = fs.statSync(folder, { bigint: true })
  return `${dev} ${ino}`
}

/** The folders that a folder lies in, by its path and by where links lead. */
const foldersAbove = (folder: string): Array<string> => {
  const above: Array<string> = []
  for (let at of [path.resolve(folder), fs.realpathSync(folder)])
    for (; path.dirname(at) !== at; above.push(identityOf(at))) at = path.dirname(at)
  return above
}

const readContents = async (root: string, folder: string): Promise<Contents> => {
  const here = path.join(root, folder)
  const listed = await fs.promises.readdir(here, { withFileTypes: true })
  listed.sort((a, b) => (a.name < b.name ? -1 : 1))
  const entries: Array<Contents["entries"][number]> = []
  const leftOut: Array<LeftOut> = []
  for (const entry of listed) {
    const file = path.join(here, entry.name)
    const take = (isFolder: boolean) => entries.push({ path: path.join(folder, entry.name), isFolder })
    const leave = (what: Omit<LeftOut, "path">) => leftOut.push({ path: file, ...what })
    if (isDropping(entry.name)) {
      leave(HIDDEN)
      continue
    }
    const kind = kindOf(file, entry)
    if (kind === "folder") take(true)
    // What is wrong with a file that its name calls an image, decoding will tell.
    else if (promisesImage(entry.name)) take(false)
    else if (kind === "file") {
      const other = otherFile(file)
      if (other === undefined) take(false)
      else leave(other)
    } else leave(NOT_FILES[kind])
  }
  return { entries, leftOut, identity: identityOf(here) }
}

/** What lies in a folder below `root`, its own folders not looked into. */
export const contentsOf = (root: string, folder = ""): Effect.Effect<Contents, StorageError> =>
  Effect.tryPromise({
    try: () => readContents(root, folder),
    catch: storageError("read", path.join(root, folder))
  })

/**
 * The images of a folder below `root` and of the folders within it, in the order of their names. Links are followed, but
 * no folder is read twice, nor one that the folder itself lies in, so that links in a circle end and do not lead to other
 * classes.
 */
export const imagesBelow = Effect.fn("imagesBelow")(function* (root: string, folder = "") {
  const seen = yield* Effect.try({
    try: () => new Set(foldersAbove(path.join(root, folder))),
    catch: storageError("read", path.join(root, folder))
  })
  const images: Array<string> = []
  const leftOut: Array<LeftOut> = []
  const visit = (folder: string): Effect.Effect<void, StorageError> =>
    Effect.flatMap(contentsOf(root, folder), (contents) => {
      if (seen.has(contents.identity)) {
        leftOut.push({
          path: path.join(root, folder),
          what: "linked folder",
          why: "it is read already, or leads back up"
        })
        return Effect.void
      }
      seen.add(contents.identity)
      for (const left of contents.leftOut) leftOut.push(left)
      return Effect.forEach(
        contents.entries,
        (entry) => {
          if (entry.isFolder) return visit(entry.path)
          images.push(entry.path)
          return Effect.void
        },
        { discard: true }
      )
    })
  yield* visit(folder)
  return { images, leftOut } satisfies Found
})
