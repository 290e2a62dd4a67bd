/** The end of a training: the selected weights are measured once on the test split. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { isFirst } from "../Distributed.ts"
import { publish } from "../Events.ts"
import { fromPyTorch } from "../Model/Weights/PyTorchLayout.ts"
import { percent } from "../Platform/Text.ts"
import { judged } from "./Averages/Averages.ts"
import { sharedBy } from "./Epoch.ts"
import { labelsOf, predict, predictViews } from "./Evaluate/Logits.ts"
import { measure } from "./Evaluate/Measures.ts"
import { viewsOf } from "./Evaluate/View.ts"
import type { Counters } from "./Run/Counters.ts"
import { wilsonInterval } from "./Run/Interval.ts"
import type { OverViews, RunResult } from "./Run/Result.ts"
import { RunError } from "./Run/RunError.ts"
import type { PreparedRun, TrainingRun } from "./TrainingRun.ts"

/** A finished run: its folder and result, and the logits [images,classes] of the test split that it was computed from. */
export interface Trained {
  readonly directory: string
  readonly result: RunResult
  readonly logits: Float32Array
}

/** Puts the weights that are judged on the device: the best ones, or the last ones where nothing was selected. */
const select = Effect.fnUntraced(function* (
  { experiment, folder, network, program, replicas }: TrainingRun,
  { best }: Counters
) {
  const weights = judged(experiment.train)
  if (best === null) {
    const selection = `the ${weights} weights of the last epoch; there is no validation split`
    return { weights, epochs: experiment.train.epochs, selection }
  }
  const selection = `best validation accuracy of the ${weights} weights (${percent(best.accuracy)}), epoch ${best.epoch}`
  if (!isFirst(replicas)) {
    yield* program.adopt
    return { weights, epochs: best.epoch, selection }
  }
  const { checkpoint, skipped } = yield* folder.checkpoints.find("best")
  if (Option.isNone(checkpoint)) {
    const { directory } = folder
    const message = `the best checkpoint of the run in ${directory} cannot be read: ${skipped[0]}`
    return yield* new RunError({ reason: "DamagedCheckpoint", directory, message })
  }
  yield* program.write(fromPyTorch(network, checkpoint.value.tensors))
  yield* program.adopt
  return { weights, epochs: best.epoch, selection }
})

/** Test-time augmentation: measures of the mean logits over the views that the experiment names. */
const measureViews = Effect.fnUntraced(function* (run: TrainingRun) {
  const { dataset, experiment, images, network, program, registry } = run
  const { tta } = experiment.train
  if (tta === undefined) return undefined
  const views = viewsOf(tta, images, registry.steps)
  const batches = { batchSize: images.batchSize, classes: network.classes, shared: sharedBy(run) }
  const classify = program.classify(judged(experiment.train))
  const { data } = yield* predictViews(dataset.test, views, batches, classify)
  const { accuracy, correct, images: shown, loss } = measure(data, labelsOf(dataset.test), network.classes)
  return {
    ...{ views: views.length, accuracy },
    ...{ interval: wilsonInterval(correct, shown), loss }
  } satisfies OverViews
})

/** Measures the run's weights on the test split. */
export const measureTest = Effect.fn("measureTest")(function* (run: PreparedRun, end: Counters) {
  const { config, dataset, experiment, folder, images, network, program, replicas } = run
  const { epochs, selection, weights } = yield* select(run, end)
  const batches = { batchSize: images.batchSize, classes: network.classes, shared: sharedBy(run) }
  const logits = yield* predict(dataset.test, batches, program.classify(weights))
  const measures = measure(logits.data, labelsOf(dataset.test), network.classes)
  const overViews = yield* measureViews(run)
  yield* replicas.closing
  const result: RunResult = {
    dataset: dataset.name,
    split: "test",
    epochs,
    weights,
    selection,
    images: measures.images,
    accuracy: measures.accuracy,
    loss: measures.loss,
    top5: measures.top5,
    confusion: measures.confusion,
    interval: wilsonInterval(measures.correct, measures.images),
    ...(overViews && { overViews }),
    parameters: network.parameters,
    multiplyAdds: network.multiplyAdds,
    trainSeconds: end.seconds,
    seed: experiment.seed,
    command: config.command
  }
  return { directory: folder.directory, result, logits: logits.data } satisfies Trained
})

/** Writes the result, the last of a run's files: with it the run is finished. */
export const finish = Effect.fnUntraced(function* ({ folder }: PreparedRun, { directory, result }: Trained) {
  yield* folder.writeResult(result)
  yield* publish({ _tag: "Finished", directory, accuracy: result.accuracy })
})
