/** Networks of finished runs, as teachers of another one. */
import { createHash } from "node:crypto"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { Checkpoints } from "../Checkpoint.ts"
import type { Experiment } from "../Config.ts"
import type { LoadedDataset } from "../Data.ts"
import type { Network } from "../Model/Network.ts"
import type { TensorRecord } from "../Tensor.ts"
import { isFinished } from "./Result.ts"
import { RunError } from "./Run.ts"
import { checkSameData, readTrained } from "./Trained.ts"

export interface Teacher {
  readonly network: Network
  /** Those that its run's result was measured with. */
  readonly weights: TensorRecord
  /** SHA-256 (hex) of the weights. */
  readonly sha256: string
}

const hashOf = (weights: TensorRecord): string => {
  const hash = createHash("sha256")
  for (const [name, { data, shape }] of Object.entries(weights)) {
    hash.update(`${name} ${shape.join(",")}\n`)
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }
  return hash.digest("hex")
}

const cannotTeach = (directory: string, why: string): RunError =>
  new RunError({ message: `the run in ${directory} cannot teach: ${why}` })

/**
 * The network of the finished run in a folder, for a data set.
 *
 * @errors RunError where the run is not finished, has no checkpoint or was trained on other data.
 */
export const readTeacher = Effect.fn("readTeacher")(function* (directory: string, dataset: LoadedDataset) {
  const trained = yield* readTrained(directory).pipe(
    Effect.provide(Checkpoints.layer(path.join(directory, "checkpoints"), { keep: 1 }))
  )
  yield* checkSameData(directory, trained.dataset, dataset)
  const { network, weights } = trained
  if (!isFinished(directory)) return yield* cannotTeach(directory, "it has not come to its end")
  return { network, weights, sha256: hashOf(weights) } satisfies Teacher
})

/** The teachers of an experiment, which have as many classes as its network. */
export const readTeachers = Effect.fn("readTeachers")(function* (
  { train }: Experiment,
  { classes }: Network,
  dataset: LoadedDataset
) {
  return yield* Effect.forEach(train.distillation?.teachers ?? [], (directory) =>
    Effect.filterOrFail(
      readTeacher(directory, dataset),
      ({ network }) => network.classes === classes,
      ({ network }) => cannotTeach(directory, `it has ${network.classes} classes, not ${classes}`)
    )
  )
})
