/** A secret that replicas share, compared in a time that tells nothing of it. */
import { createHash, timingSafeEqual } from "node:crypto"

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()

/** Whether an `Authorization` header has the secret; any will do where there is none. */
export const isSecret = (secret: string | undefined, header: string | undefined): boolean =>
  secret === undefined || timingSafeEqual(digest(`Bearer ${secret}`), digest(header ?? ""))
