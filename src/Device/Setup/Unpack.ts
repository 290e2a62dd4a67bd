/** Takes the wanted files out of a wheel, which is a zip archive. */
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { syncFolder } from "./Folders.ts"
import { wanted } from "./Wheels.ts"

/** Files of a library by their names below its folder, with their sizes in bytes. */
export type Manifest = Readonly<Record<string, number>>

const executable = (name: string): boolean => /^nvidia\/\w+\/bin\//.test(name)

/** Writes the wanted files of an opened wheel below `directory`, flushes them, and gives what was written. */
export const unpackWheel = async (
  wheel: fs.FileHandle,
  directory: string,
  onBytes: (done: number) => void,
  signal: AbortSignal
): Promise<Manifest> => {
  const yauzl = await import("yauzl")
  const zip = await yauzl.fromFdPromise(wheel.fd, { autoClose: false })
  const manifest: Record<string, number> = {}
  const directories = new Set<string>()
  let done = 0
  for await (const entry of zip.eachEntry()) {
    const { fileName, uncompressedSize } = entry
    if (!wanted(fileName)) continue
    const file = path.join(directory, fileName)
    directories.add(path.dirname(file))
    await fs.mkdir(path.dirname(file), { recursive: true })
    const handle = await fs.open(file, "w", executable(fileName) ? 0o755 : 0o644)
    try {
      for await (const chunk of await zip.openReadStreamPromise(entry)) {
        signal.throwIfAborted()
        await handle.writeFile(chunk)
        done += chunk.length
        onBytes(done)
      }
      await handle.sync()
    } finally {
      await handle.close()
    }
    manifest[fileName] = uncompressedSize
  }
  for (const each of directories) await syncFolder(each)
  return manifest
}
