/**
 * The report of a finished run: one HTML file that needs nothing else, with the result, curves, confusion, accuracy
 * by class and sample predictions.
 */
import * as Effect from "effect/Effect"
import { Dataset } from "./Data.ts"
import { writeFileAtomic } from "./Platform/Files.ts"
import { classesSection } from "./Report/Classes.ts"
import { confusionSection } from "./Report/Confusion.ts"
import { curves } from "./Report/Curves.ts"
import { overview } from "./Report/Overview.ts"
import { percent } from "./Report/Page/Html.ts"
import { page } from "./Report/Page/Page.ts"
import { predictionsOf } from "./Report/Predictions.ts"
import { samples } from "./Report/Samples.ts"
import type { Trained } from "./Train/MeasureTest.ts"
import { openRun } from "./Train/Run/RunFolder.ts"

export { ensemblePage, writeEnsembleReport } from "./Report/Ensemble.ts"

/** Writes `report.html` into the folder of a run that was trained on the `Dataset`, and gives its path. */
export const writeReport = Effect.fn("writeReport")(function* ({ directory, logits, result }: Trained) {
  const { classes, test, train, validation } = yield* Dataset
  const run = openRun(directory)
  const config = yield* run.config
  const metrics = yield* run.metrics
  // A network may have more classes than the data.
  const names = result.confusion.map((_, label) => classes[label] ?? `class ${label}`)
  const images = { train: train.indices.length, validation: validation.indices.length }
  const title = `${config.experiment.name}: ${percent(result.accuracy)} on ${result.dataset}`
  const sections = [
    overview(config, result, images),
    curves(metrics, result.epochs),
    confusionSection(result.confusion, names),
    classesSection(result.confusion, names, result.accuracy),
    ...(yield* samples(test, predictionsOf(test, logits), names))
  ]
  yield* writeFileAtomic(run.report, page(title, sections))
  return run.report
})
