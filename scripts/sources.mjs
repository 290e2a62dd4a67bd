/** What a build is made from, as a hash: the build keeps it, so that one that is out of date is known. Plain Node. */
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)))

/** What bundles the kernels, by its path in this folder. */
export const BUNDLER = "scripts/bundle-kernels.mjs"

/** The file of a build's folder that has the hash of what it was made from. */
export const STAMP = ".sources"

/** A hash of everything that the build is made from. */
export const sources = () => {
  const hash = createHash("sha256")
  const files = readdirSync(path.join(ROOT, "src"), { recursive: true })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => path.join("src", name))
  for (const name of [...files.sort(), BUNDLER, "tsconfig.json", "package-lock.json"]) {
    hash
      .update(`${name}\0`)
      .update(readFileSync(path.join(ROOT, name)))
      .update("\0")
  }
  return hash.digest("hex")
}

/** Whether a build's folder was made from the sources as they are now. */
export const isCurrent = (dist) => {
  try {
    return readFileSync(path.join(dist, STAMP), "utf8") === sources()
  } catch {
    return false
  }
}
