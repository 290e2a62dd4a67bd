/**
 * Folders during setup, with Node's own promises: wheels are unpacked from file descriptors, which effect's `FileSystem`
 * does not give.
 */
import * as fs from "node:fs/promises"
import * as path from "node:path"

/** As `mkdir -p`. Node's own gives another reason than the true one where a file system cannot be written. */
export const makeFolder = async (directory: string): Promise<void> => {
  try {
    await fs.mkdir(directory)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === "EEXIST" && (await fs.stat(directory)).isDirectory()) return
    if (code !== "ENOENT" || path.dirname(directory) === directory) throw cause
    await makeFolder(path.dirname(directory))
    await fs.mkdir(directory).catch((again: NodeJS.ErrnoException) => {
      if (again.code !== "EEXIST") throw again
    })
  }
}

/** Flushes a folder's entries, so that a rename in it outlives a power cut. */
export const syncFolder = async (directory: string): Promise<void> => {
  const handle = await fs.open(directory, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
