/** What an ensemble sees in image files: one member's weights are on the device at a time. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { EnsembleConfig } from "../Config/Ensemble.ts"
import { fileLogits, type Prediction, type Unreadable } from "../Predict/Images.ts"
import { show } from "../Train/Evaluate/View.ts"
import { combine, type Outputs, rowOf, softmax } from "./Combine.ts"
import { loadMember, type Member, verifyMember } from "./Member.ts"
import type { Ensemble } from "./Open.ts"
import { overViews } from "./Outputs.ts"
import { logProbabilities } from "./Search/Temperature.ts"

interface Said {
  readonly files: ReadonlyArray<string>
  readonly unreadable: ReadonlyArray<Unreadable>
  readonly outputs: Outputs
}

/** Rows of several batches as one. */
const joined = (batches: ReadonlyArray<Float32Array>, classes: number): Outputs => {
  const values = new Float32Array(batches.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const batch of batches) {
    values.set(batch, at)
    at += batch.length
  }
  return { images: values.length / classes, classes, values }
}

/** Class scores with the ensemble's temperature, where it has one. */
const withTemperature = ({ temperature }: EnsembleConfig, scores: Outputs): Outputs =>
  temperature === undefined ? scores : softmax(logProbabilities(scores), temperature)

/** Class scores of an ensemble from what its members say, in their order. */
export const scored = (
  { config, members }: Pick<Ensemble, "config" | "members">,
  said: ReadonlyArray<Outputs>
): Outputs =>
  withTemperature(
    config,
    combine(
      config.rule,
      said,
      members.map(({ weight }) => weight)
    )
  )

/** What a member says of files, over the ensemble's views. */
const ask = Effect.fnUntraced(function* (
  member: Member,
  { config, data: { mean, size, std }, views }: Ensemble,
  files: ReadonlyArray<string>
) {
  const { network, weights } = yield* loadMember(member)
  const shows = views.map(
    (view) => (pixels: Uint8Array, numbers: ArrayLike<number>) => show(view, pixels, size, numbers)
  )
  const classify = yield* fileLogits({ network, weights, size, mean, std }, shows)
  const batches = yield* Stream.runCollect(classify(files))
  const whole = batches.filter(({ files }) => files.length > 0)
  const outputs = views.map((_, v) =>
    joined(
      whole.map(({ logits }) => logits[v]),
      network.classes
    )
  )
  return {
    files: whole.flatMap(({ files }) => files),
    unreadable: batches.flatMap(({ unreadable }) => unreadable),
    outputs: overViews(outputs, views, config.ttaMean)
  } satisfies Said
}, Effect.scoped)

/**
 * Predictions of an ensemble for image files, and which of them could not be read. All members are verified before
 * the first is asked.
 */
export const predictEnsemble = Effect.fn("predictEnsemble")(function* (
  ensemble: Ensemble,
  files: ReadonlyArray<string>
) {
  const { members } = ensemble
  for (const member of members) yield* verifyMember(member)
  const said = yield* Effect.forEach(members, (member) => ask(member, ensemble, files))
  const scores = scored(
    ensemble,
    said.map(({ outputs }) => outputs)
  )
  const [first] = said
  return {
    unreadable: first.unreadable,
    predictions: first.files.map(
      (file, i): Prediction => ({ file, probabilities: Float64Array.from(rowOf(scores, i)) })
    )
  }
})
