/** What can go wrong with a file, in words and as reasons that a program can match on. */
import { isPlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"

const Reason = Schema.Literals([
  /** There is no such file or folder. */
  "NotFound",
  /** It is there already. */
  "AlreadyThere",
  /** It may not be read or written, or its file system is read-only. */
  "Denied",
  /** The disk is full, or the quota is used up. */
  "Full",
  /** The path is not one of a file, or not one of a folder, or has a name that is too long. */
  "WrongPath",
  /** The file is larger than anything of its kind. */
  "TooLarge",
  /** What the file holds is not what was written, or not of its format. */
  "Damaged",
  /** Anything else that the operating system says; `cause` has it. */
  "Other"
])

/** A file could not be read or written. `message` names the path and the reason in one line. */
export class StorageError extends Schema.TaggedError<StorageError>()("StorageError", {
  reason: Reason,
  path: Schema.String,
  message: Schema.String,
  cause: Schema.optional(Schema.Unknown)
}) {}

/** What the operating system's codes of errors mean. */
const codes: Readonly<Record<string, readonly [reason: typeof Reason.Type, words: string]>> = {
  ENOENT: ["NotFound", "there is no such file or folder"],
  EACCES: ["Denied", "permission denied"],
  EPERM: ["Denied", "permission denied"],
  EROFS: ["Denied", "the file system is read-only"],
  ENOSPC: ["Full", "the disk is full"],
  EDQUOT: ["Full", "the disk quota is used up"],
  ENOTDIR: ["WrongPath", "a part of the path is not a folder"],
  EISDIR: ["WrongPath", "it is a folder"],
  EEXIST: ["AlreadyThere", "it already exists"],
  ENAMETOOLONG: ["WrongPath", "the name is too long"]
}

/** Turns what the file system fails with, or what `node:fs` throws, into a one-line error that names the path. */
export const storageError =
  (what: string, file: string) =>
  (cause: unknown): StorageError => {
    const thrown = isPlatformError(cause) ? (cause.reason.cause ?? cause.reason) : cause
    const { _tag, code, message } = thrown as Partial<Record<"_tag" | "code" | "message", string>>
    const known = codes[code ?? ""] ?? codes[tags[_tag ?? ""] ?? ""]
    const [reason, words] = known ?? (["Other", String(message ?? thrown)] as const)
    return refused(what, file, reason, reason === "NotFound" ? `${words}${undecoded(file)}` : words, thrown)
  }

/** An error that names the path and says why. */
export const refused = (
  what: string,
  file: string,
  reason: typeof Reason.Type,
  words: string,
  cause?: unknown
) => new StorageError({ reason, path: file, message: `cannot ${what} ${file}: ${words}`, cause })

/** Node decodes the names that it is given; bytes that are not UTF-8 are lost, and the file is not found again. */
const undecoded = (file: string): string =>
  file.includes("\ufffd") ? " (its name is not UTF-8, so that it cannot be opened: rename it)" : ""

/** Codes of what a file system says that is not Node's. */
const tags: Readonly<Record<string, string>> = {
  NotFound: "ENOENT",
  PermissionDenied: "EACCES",
  AlreadyExists: "EEXIST"
}
