/** Whether a data set has the images that a training needs, and how many of them its batches leave out. */
import * as Effect from "effect/Effect"
import type { Experiment } from "../../Config.ts"
import { splitNamed } from "../../Data/Split.ts"
import type { LoadedDataset } from "../../Data.ts"
import { warning } from "../../Events.ts"
import { percent } from "../../Platform/Text.ts"
import { RunError } from "../Run/RunError.ts"

/** A share of the training images that an epoch may leave out unsaid. */
const FEW = 0.03

/** Fails where the data has no test images or does not make a single batch, and says where whole batches leave many images out. */
export const checkImages = Effect.fnUntraced(function* ({ train }: Experiment, dataset: LoadedDataset) {
  // Otherwise it would be found out after the training.
  yield* splitNamed(dataset, "test")
  const { batchSize } = train
  const images = dataset.train.indices.length
  if (batchSize > images) {
    return yield* new RunError({
      reason: "DoesNotFit",
      message: `train.batchSize is ${batchSize}, but ${dataset.name} has only ${images} training images`
    })
  }
  const left = images % batchSize
  if (left / images <= FEW) return
  yield* warning(
    `each epoch leaves out ${left} of ${images} training images (${percent(left / images)}), other ones each time: they do not fill a batch of ${batchSize}`
  )
})
