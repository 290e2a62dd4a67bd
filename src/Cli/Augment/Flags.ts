/** The flags of `shakedrop augment preview`. */
import type * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { dataDirFlag, datasetFlag, optional, withShownDefault } from "../Shared/Flags.ts"
import { writtenTo } from "../Shared/Paths.ts"

export const flags = {
  recipe: optional(Flag.String("recipe"), "The pipeline of a named experiment"),
  pipeline: optional(
    Flag.String("pipeline"),
    'JSON file with a list of steps, as "augment" in an experiment'
  ),
  dataset: datasetFlag.pipe(withShownDefault("Where the image is from", "shapes")),
  directory: dataDirFlag("Where the data set lies; shapes needs none"),
  image: Flag.Int("image").pipe(withShownDefault("Which training image, counted from 0", 0)),
  seed: Flag.Int("seed").pipe(withShownDefault("Seed of every draw", 1)),
  out: writtenTo("out", "file").pipe(withShownDefault("The PNG", "runs/augment.png"))
}

export type PreviewInput = Command.Command.Config.Infer<typeof flags>
