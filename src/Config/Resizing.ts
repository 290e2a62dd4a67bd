/**
 * Progressive resizing (Howard 2018, in fast.ai's DAWNBench entry; Tan and Le 2021, EfficientNetV2): the first epochs
 * see smaller images, which cost less by the square of the scale, with the same weights.
 */
import * as Schema from "effect/Schema"
import { count } from "./Fields.ts"

const Stage = Schema.Struct({
  /** The last epoch of this scale, from 1. */
  until: count,
  /** Of the images' sides. Below a half bilinear interpolation would leave pixels out. */
  scale: Schema.Finite.check(Schema.isBetween({ minimum: 0.5, maximum: 1, exclusiveMaximum: true }))
})

export const ProgressiveResizing = Schema.Array(Stage).check(
  Schema.isMinLength(1),
  Schema.makeFilter(
    (stages) =>
      stages.every(
        ({ scale, until }, i) => i === 0 || (until > stages[i - 1].until && scale > stages[i - 1].scale)
      ),
    { expected: "epochs and scales in rising order" }
  )
)
export type ProgressiveResizing = typeof ProgressiveResizing.Type

/** The scale of an epoch (from 0): 1 after the last stage. */
export const scaleAt = (stages: ProgressiveResizing, epoch: number): number =>
  stages.find(({ until }) => epoch < until)?.scale ?? 1

/** What the epochs `from` (from 0) to before `to` cost, in epochs of whole images: as much as their pixels. */
export const costOfEpochs = (stages: ProgressiveResizing, from: number, to: number): number => {
  let cost = 0
  for (let epoch = from; epoch < to; epoch++) cost += scaleAt(stages, epoch) ** 2
  return cost
}
