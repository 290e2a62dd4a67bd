/** Reads the files of a CIFAR data set where they were found, in an archive or unpacked. */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { readFile } from "../../Platform/Files.ts"
import { unpack } from "./Archive.ts"
import { entriesIn, type Found } from "./Find.ts"

/** The contents of the files that belong to the data set, by name. */
export const readSource = Effect.fnUntraced(function* ({ format: { limits }, packed, place }: Found) {
  if (packed) return yield* unpack(place, limits)
  const files = new Map<string, Buffer>()
  for (const { name } of yield* entriesIn(place)) {
    const most = limits.get(name)
    if (most !== undefined) files.set(name, yield* readFile(path.join(place, name), most))
  }
  return files
})
