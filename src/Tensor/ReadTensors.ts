/** Files of tensors: safetensors, or what `torch.save` wrote, whichever a file is by its first bytes. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { readFile, readStart } from "../Platform/Files.ts"
import { sha256 } from "../Platform/Hash.ts"
import { readSafetensors } from "./ReadSafetensors.ts"
import { openContainer } from "./Torch/Container.ts"
import { weightsOf } from "./Torch/Weights.ts"

/** A file of `torch.save` holds no weights, or is damaged; `message` says what is wrong in one line. */
export class TorchFileError extends Data.TaggedError("TorchFileError")<{ readonly message: string }> {}

/** A zip archive, or a pickle. */
const isTorch = (start: Uint8Array): boolean =>
  (start[0] === 0x50 && start[1] === 0x4b && start[2] === 3 && start[3] === 4) ||
  (start[0] === 0x80 && start[1] >= 2 && start[1] <= 5)

const readTorch = Effect.fnUntraced(function* (file: string) {
  const bytes = yield* readFile(file)
  const { tensors, within } = yield* Effect.tryPromise({
    try: async () => weightsOf(await openContainer(bytes), bytes.length),
    catch: (cause) => new TorchFileError({ message: `${file}: ${(cause as Error).message}` })
  })
  return { tensors, within, sha256: sha256([bytes]) }
})

/**
 * The tensors of a file, its SHA-256 (hex), and in which part of a checkpoint they are (empty where they are the whole).
 * Of a file of `torch.save` nothing is ever called.
 *
 * @errors StorageError where it cannot be read; SafetensorsError or TorchFileError where it is another file, cut off or
 * damaged; their messages begin with the file's name
 */
export const readTensorFile = Effect.fn("readTensorFile")(function* (file: string) {
  if (isTorch(yield* readStart(file, 4))) return yield* readTorch(file)
  return { ...(yield* readSafetensors(file)), within: "" }
})
