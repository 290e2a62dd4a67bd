/** SHA-256, by which files, data and weights are known again. */
import { createHash } from "node:crypto"
import { asBytes } from "./Bytes.ts"

/** Bytes hashed at a time; Node takes at most 2 GiB at once. */
const CHUNK = 64 << 20

/** SHA-256 (hex) of texts and bytes, as if they were joined. */
export const sha256 = (parts: Iterable<string | NodeJS.ArrayBufferView>): string => {
  const hash = createHash("sha256")
  for (const part of parts) {
    if (typeof part === "string") {
      hash.update(part)
      continue
    }
    const bytes = asBytes(part)
    for (let at = 0; at < bytes.length; at += CHUNK) hash.update(bytes.subarray(at, at + CHUNK))
  }
  return hash.digest("hex")
}
