/** How much memory there is. */
import * as os from "node:os"

/** Bytes that a process can have here: the machine's, or those that a container leaves it. */
export const memoryHere = (): number =>
  Math.min(os.totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY)

/** Bytes as `1.23 GB`. */
export const gigabytes = (bytes: number): string =>
  `${Number((bytes / 1e9).toPrecision(3)).toLocaleString("en-GB")} GB`
