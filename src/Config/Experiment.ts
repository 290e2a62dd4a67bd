/** The whole of an experiment as data: what is trained on what, and how. */
import * as Schema from "effect/Schema"
import { DataConfig } from "./Data.ts"
import { folderName, seed, withDefault } from "./Fields.ts"
import type { Registered } from "./Registered.ts"
import { type RegisteredInTraining, trainSchema } from "./Train.ts"

/** What can be asked of the networks of an architecture. */
export interface Capabilities {
  /** Whether it has blocks that gradient checkpointing can compute again in the backward pass. */
  readonly recompute: boolean
  /** Whether images may have another size than the network was made for, as in progressive resizing. */
  readonly resize: boolean
}

/** A network's architecture and options. */
export interface ModelChoice extends Registered {
  /** Number of classes; that of the data set unless given. */
  readonly classes?: number
}

/** The Schemas of what an experiment chooses by its name, and what the networks can. */
export interface RegisteredInExperiment extends RegisteredInTraining {
  readonly model: Schema.Codec<ModelChoice, unknown>
  readonly pipeline: Schema.Codec<ReadonlyArray<Registered>, ReadonlyArray<unknown>>
  readonly capabilities: (model: Registered) => Capabilities
}

/** The Schema of an experiment with what is registered. */
export const experimentSchema = (registered: RegisteredInExperiment) =>
  Schema.Struct({
    /** Names the run's folder. */
    name: folderName,
    /** Of initial weights, order of images, augmentation and random draws of the model. */
    seed: seed.pipe(withDefault(1)),
    data: DataConfig,
    augment: registered.pipeline,
    model: registered.model,
    train: trainSchema(registered)
  }).check(
    Schema.makeFilter(({ model, train }) => {
      const { recompute, resize } = registered.capabilities(model)
      const issues: Array<Schema.FilterIssue> = []
      if (train.gradientCheckpointing && !recompute) {
        issues.push({
          path: ["train", "gradientCheckpointing"],
          issue: `expected false, for ${model._tag} has no blocks to recompute`
        })
      }
      if (train.progressiveResizing && !resize) {
        issues.push({
          path: ["train", "progressiveResizing"],
          issue: `expected none, for a ${model._tag} takes images of one size`
        })
      }
      return issues
    })
  )

export type Experiment = ReturnType<typeof experimentSchema>["Type"]
