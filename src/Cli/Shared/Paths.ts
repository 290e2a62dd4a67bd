/** Paths that a command is to write to. They are looked at before anything else is done. */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Flag from "effect/cli/Flag"

/** Bytes of a name and of a path that Linux and macOS take. */
const LONGEST_NAME = 255
const LONGEST_PATH = 1024

type Kind = "file" | "folder" | "file or folder"

const isFolder = (file: string): boolean => fs.statSync(file).isDirectory()

const isWritable = (file: string): boolean => {
  try {
    fs.accessSync(file, fs.constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** Why a path cannot be written to; undefined where it can. */
export const problemWith = (given: string, kind: Kind): string | undefined => {
  if (given.trim() === "") return "the name is empty"
  const whole = path.resolve(given)
  const names = whole.split(path.sep)
  if (
    Buffer.byteLength(whole) > LONGEST_PATH ||
    names.some((name) => Buffer.byteLength(name) > LONGEST_NAME)
  ) {
    return "the name is too long"
  }
  if (fs.existsSync(whole)) {
    if (kind === "folder" && !isFolder(whole)) return `${given} is a file`
    if (kind === "file" && isFolder(whole)) return `${given} is a folder`
    return isWritable(whole) ? undefined : `${given} cannot be written to`
  }
  let parent = path.dirname(whole)
  while (!fs.existsSync(parent)) parent = path.dirname(parent)
  if (!isFolder(parent)) return `${parent} is a file`
  return isWritable(parent) ? undefined : `${parent} cannot be written to`
}

/** A flag with the path of what is written. */
export const writtenTo = (name: string, kind: Kind): Flag.Flag<string> =>
  Flag.String(name).pipe(
    Flag.filter(
      (given) => problemWith(given, kind) === undefined,
      (given) => `expected a ${kind} to write to, but ${problemWith(given, kind)}`
    )
  )
