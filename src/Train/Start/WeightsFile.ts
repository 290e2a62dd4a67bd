/** Weights in a file, for a network of one's own choice. */
import * as Effect from "effect/Effect"
import { message } from "../../Events.ts"
import { type Network, WeightsError, wrapperIn } from "../../Model.ts"
import type { TensorRecord } from "../../Tensor/HostTensor.ts"
import { readTensorFile } from "../../Tensor/ReadTensors.ts"

/**
 * The weights in a file, fitted to a network as `take` does, in device layouts; and the file's SHA-256 (hex). What other
 * programs put before every name is taken off, and told.
 *
 * @errors StorageError, SafetensorsError and TorchFileError for the file; WeightsError where its weights are not the network's
 */
export const readWeights = Effect.fn("readWeights")(function* (
  file: string,
  network: Network,
  take: (network: Network, tensors: TensorRecord) => TensorRecord
) {
  const { sha256, tensors, within } = yield* readTensorFile(file)
  const weights = yield* Effect.try({
    try: () => take(network, tensors),
    catch: (cause) => {
      const reason = cause instanceof WeightsError ? cause.reason : "DoesNotFit"
      return new WeightsError({ reason, message: `${file}: ${(cause as Error).message}` })
    }
  })
  if (within !== "") yield* message(`${file}: its ${within} is taken`)
  const prefix = wrapperIn(network, tensors)
  if (prefix !== "") yield* message(`${file}: every name begins with ${prefix}, which is taken off`)
  return { weights, sha256 }
})
