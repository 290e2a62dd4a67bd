/** A model card (Mitchell et al. 2019, arXiv:1810.03993), filled in from a run, as model hubs show it. */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { percent } from "../Platform/Text.ts"
import { VERSION } from "../Platform/Version.ts"
import type { Served } from "../Predict/TrainedRun.ts"
import type { RunResult } from "../Train/Run/Result.ts"
import type { RunConfig } from "../Train/Run/RunConfig.ts"
import { openRun } from "../Train/Run/RunFolder.ts"

/** What is known of the run that a network comes from. */
export interface RunFacts {
  readonly config: RunConfig
  /** Of the weights that are exported; none where they were not measured. */
  readonly result?: RunResult | undefined
}

/**
 * Reads what is known of a run. `measured` says whether its result is about the weights that are exported.
 *
 * @errors RunError, StorageError
 */
export const readFacts = Effect.fn("readFacts")(function* (directory: string, measured: boolean) {
  const run = openRun(directory)
  const result = measured && (yield* run.isFinished) ? yield* run.result : undefined
  return { config: yield* run.config, result } satisfies RunFacts
})

const sum = (counts: ReadonlyArray<number>): string =>
  counts.reduce((total, count) => total + count, 0).toLocaleString("en-GB")

const code = (value: unknown): string => `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\``

/** The experiment without places on the machine that it ran on. */
const recipeOf = ({ experiment }: RunConfig): unknown => {
  const { data, train, ...rest } = experiment
  const { directory: _, ...dataRest } = data
  const { distillation, initialWeights, ...trainRest } = train
  const taught = distillation !== undefined && { ...distillation, teachers: distillation.teachers.length }
  const started = initialWeights !== undefined && path.basename(initialWeights)
  return {
    ...rest,
    data: dataRest,
    train: {
      ...trainRest,
      ...(started && { initialWeights: started }),
      ...(taught && { distillation: taught })
    }
  }
}

const accuracyOf = ({ result }: RunFacts): string => {
  if (result === undefined) return "These weights were not measured on test images."
  const { accuracy, images, interval, loss, overViews, selection, split, top5, weights } = result
  const [low, high] = interval.map(percent)
  const lines = [
    `**${percent(accuracy)}** of ${images.toLocaleString("en-GB")} ${split} images (95 % interval ${low} to ${high}, which holds for the choice of images, not for that of the seed).`,
    `The right class is among the five likeliest for ${percent(top5)}; mean cross entropy ${loss.toFixed(4)} nats.`,
    `Weights: ${weights}, ${selection}.`
  ]
  if (overViews !== undefined) {
    const over = `With test-time augmentation over ${overViews.views} views, which is not part of these files: ${percent(overViews.accuracy)}.`
    lines.push(over)
  }
  return lines.join("\n")
}

const dataOf = ({ config: { dataset } }: RunFacts): string =>
  `${dataset.name}: ${dataset.classes.length} classes, ${sum(dataset.images.train)} training images (those held out for validation among them) and ${sum(dataset.images.test)} test images of ${dataset.size.height}×${dataset.size.width} pixels.`

const trainingOf = (facts: RunFacts): string => {
  const { environment } = facts.config
  return `Trained with shakedrop ${environment.shakedrop} on TensorFlow ${environment.tensorflow} (${environment.device}), by this configuration:

${code(recipeOf(facts.config))}`
}

/** The contents of the card. */
export const modelCard = (
  { classes, mean, network, size, std }: Served,
  facts: RunFacts | undefined
): string => `---
library_name: transformers.js
pipeline_tag: image-classification
tags:
- image-classification
- onnx
---

# ${network.name}

An image classifier of ${classes.length} classes for images of ${size.height}×${size.width} pixels, written by shakedrop ${VERSION}.

\`\`\`js
import { env, pipeline } from "@huggingface/transformers"
env.localModelPath = "." // where this folder lies
env.allowRemoteModels = false
const classify = await pipeline("image-classification", "FOLDER", { dtype: "fp32" })
console.log(await classify("image.png"))
\`\`\`

\`onnx/model.onnx\` takes \`pixel_values\`, float32 [N, 3, ${size.height}, ${size.width}]: pixels / 255 − ${JSON.stringify(mean)}, divided by ${JSON.stringify(std)}. \`model.safetensors\` has the weights with PyTorch's names and layouts.

## Accuracy

${facts === undefined ? "Nothing is known of the run that it comes from." : accuracyOf(facts)}

## Data

${facts === undefined ? "Nothing is known of its data." : dataOf(facts)}

${code(classes)}

## Intended use

Images like those that it was trained on, of one of these classes each. Nothing else was measured.

## Limits

- It gives one of its classes to every image, also to one that shows none of them.
- Images of other sizes are scaled to ${size.height}×${size.width} pixels; the aspect ratio is not kept.
- The accuracy holds for images of the same origin. What was in the training images, in whichever shares, is in its answers.
- Its probabilities are a softmax of logits, and need not be shares of right answers.
- \`model_type\` in \`config.json\` is one that transformers.js knows, so that it runs the ONNX graph. The weights are not of the network of that name in transformers for Python.
${facts === undefined ? "" : `\n## Training\n\n${trainingOf(facts)}\n`}`
