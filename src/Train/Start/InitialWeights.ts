/** Weights of a file that a run starts from. */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import type { Experiment } from "../../Config.ts"
import { type Network, pretrainedFor } from "../../Model.ts"
import { exists } from "../../Platform/Files.ts"
import type { TensorRecord } from "../../Tensor/HostTensor.ts"
import { RunError } from "../Run/RunError.ts"
import { readWeights } from "./WeightsFile.ts"

export interface InitialWeights {
  /** By the network's own names, in device layouts; a classifier of other classes is not among them. */
  readonly weights: TensorRecord
  /** SHA-256 (hex) of the file. */
  readonly sha256: string
}

/** Fails where an experiment starts from a file that is not there. */
export const findInitialWeights = Effect.fnUntraced(function* ({
  train: { initialWeights: file }
}: Experiment) {
  if (file === undefined || (yield* exists(file))) return
  const name = path.basename(file, path.extname(file))
  return yield* new RunError({
    reason: "NoInitialWeights",
    message: `train.initialWeights: there is no file ${file}: fetch these weights (timm's are model.safetensors of timm/${name} on the Hugging Face hub)`
  })
})

/**
 * The file that an experiment starts from, fitted to its network; undefined where it starts from its seed alone, and
 * where the file is not there but not `needed` either, because the run has begun.
 *
 * @errors RunError where there is no such file, it is damaged, or its weights are not the network's
 */
export const readInitialWeights = Effect.fn("readInitialWeights")(function* (
  experiment: Experiment,
  network: Network,
  { needed }: { readonly needed: boolean }
) {
  const file = experiment.train.initialWeights
  if (file === undefined || !(needed || (yield* exists(file)))) return undefined
  yield* findInitialWeights(experiment)
  const read: InitialWeights = yield* readWeights(file, network, pretrainedFor).pipe(
    Effect.mapError(
      ({ message }) => new RunError({ reason: "InitialWeights", message: `train.initialWeights: ${message}` })
    )
  )
  return read
})
