/** Safetensors files: what is not one is named for what it is, and nothing is read before the header fits the file. */
import * as Effect from "effect/Effect"
import { KIND_BYTES, kindOf } from "../Platform/FileKind.ts"
import { readFile, readStart, sizeOfFile } from "../Platform/Files.ts"
import { sha256 } from "../Platform/Hash.ts"
import { decode, headerEnd, readHeader, SafetensorsError } from "./Safetensors.ts"

/** What a file is instead, and how to come by what is wanted. */
const otherwise = (start: Uint8Array): string | undefined => {
  const kind = kindOf(start)
  if (kind === undefined) return undefined
  const instead = kind.includes(".pth") ? ": PyTorch writes one with safetensors.torch.save_file" : ""
  return `it is ${kind}, not a safetensors file${instead}`
}

/** What is wrong with a file, by its name, in the words for what it is where its first bytes tell. */
const attempt = <A>(file: string, start: Uint8Array, read: () => A): Effect.Effect<A, SafetensorsError> =>
  Effect.try({
    try: read,
    catch: (cause) =>
      new SafetensorsError({ message: `${file}: ${otherwise(start) ?? (cause as Error).message}` })
  })

/**
 * The tensors of a file, and its SHA-256 (hex).
 *
 * @errors StorageError where it cannot be read; SafetensorsError where it is another file, cut off or damaged; its
 * message begins with the file's name
 */
export const readSafetensors = Effect.fn("readSafetensors")(function* (file: string) {
  const size = yield* sizeOfFile(file)
  const start = yield* readStart(file, KIND_BYTES)
  const end = yield* attempt(file, start, () => headerEnd(start, size))
  const header = yield* readStart(file, end)
  yield* attempt(file, start, () => readHeader(header, size))
  const bytes = yield* readFile(file)
  const { tensors } = yield* attempt(file, start, () => decode(bytes))
  return { tensors, sha256: sha256([bytes]) }
})
