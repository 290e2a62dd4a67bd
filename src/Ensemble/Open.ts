/** From an ensemble's configuration to its members and views: whatever can be wrong with them is found here. */
import * as Effect from "effect/Effect"
import { makeCanvas } from "../Augment/Kernel/Canvas.ts"
import { type EnsembleConfig, sourcesOf } from "../Config/Ensemble.ts"
import { Registry } from "../Registry.ts"
import { type View, viewsOf } from "../Train/Evaluate/View.ts"
import { type DataDescription, dataDifference } from "../Train/Run/DataDescription.ts"
import { openRun } from "../Train/Run/RunFolder.ts"
import { EnsembleError } from "./Errors.ts"
import { findMember, type Member } from "./Member.ts"

export interface Ensemble {
  readonly config: EnsembleConfig
  /** What it is about. */
  readonly data: DataDescription
  /** In the order of the configuration. */
  readonly members: ReadonlyArray<Member>
  readonly views: ReadonlyArray<View>
}

const fail = (message: string) => new EnsembleError({ reason: "DoesNotFit", message })

/** Fails where a run was trained on other classes, or on other images, than the data set's. */
const checkRun = Effect.fnUntraced(function* (run: string, data: DataDescription) {
  const { dataset: trainedOn } = yield* openRun(run).config
  const [own, others] = [trainedOn.classes, data.classes]
  if (JSON.stringify(own) !== JSON.stringify(others)) {
    const same = JSON.stringify(own.toSorted()) === JSON.stringify(others.toSorted())
    return yield* fail(
      same
        ? `the run in ${run} has the classes of ${data.name} in another order (${own.slice(0, 3).join(", ")}, …): its answers would be counted for wrong classes`
        : `the run in ${run} knows other classes (${own.slice(0, 3).join(", ")}, …; ${own.length} of them) than ${data.name} has (${others.slice(0, 3).join(", ")}, …; ${others.length})`
    )
  }
  const difference = dataDifference(trainedOn, data)
  if (difference !== undefined) {
    return yield* fail(
      `the run in ${run} was trained on ${trainedOn.name}, but this data is ${data.name}, and is not the same (${difference}): its training images might be among those that the ensemble is measured on`
    )
  }
})

/** Fails where a view makes images of another shape. */
const checkView = (
  view: View,
  { height, width }: DataDescription["size"]
): Effect.Effect<void, EnsembleError> =>
  Effect.suspend(() => {
    const canvas = makeCanvas(height, width)
    view.apply(canvas, 0)
    return canvas.height === height && canvas.width === width && canvas.pixels.length === height * width * 3
      ? Effect.void
      : fail(
          `the view ${view.key} makes ${canvas.height}×${canvas.width} pixels of images of ${height}×${width}: a view keeps the shape`
        )
  })

/**
 * Finds the members of an ensemble and checks that they fit each other and the data. `views` stand in for those
 * of the configuration.
 *
 * @errors EnsembleError, RunError, StorageError with what is wrong in one line
 */
export const openEnsemble = Effect.fn("openEnsemble")(function* (
  config: EnsembleConfig,
  data: DataDescription,
  options: { readonly views?: ReadonlyArray<View> | undefined } = {}
) {
  for (const member of config.members) {
    for (const { run } of sourcesOf(member)) yield* checkRun(run, data)
  }
  const members = yield* Effect.forEach(config.members, findMember)
  const splits = new Map(
    members.flatMap(({ sources }) =>
      sources.map(({ config: { run }, experiment: { data } }) => [
        JSON.stringify([data.validation, data.seed]),
        run
      ])
    )
  )
  if (splits.size > 1) {
    const [first, second] = splits.values()
    return yield* fail(
      `the runs in ${first} and ${second} hold out different validation images (data.validation, data.seed): what one of them was trained on, the other would be chosen by`
    )
  }
  const views = options.views ?? viewsOf(config.tta, data, (yield* Registry).steps)
  for (const view of views) yield* checkView(view, data.size)
  return { config, data, members, views } satisfies Ensemble
})
