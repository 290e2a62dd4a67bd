/** The head of a report: the result, what it was got from, and how to get it again. */
import { formatSeconds, short } from "../Platform/Text.ts"
import type { OverViews, RunResult } from "../Train/Run/Result.ts"
import type { RunConfig } from "../Train/Run/RunConfig.ts"
import { count, html, type Markup, percent } from "./Page/Html.ts"

/** A configuration in a few words, as `depth 11, alpha 6, shakeDrop (survival 0.5)`. */
export const inWords = (config: object): string =>
  Object.entries(config)
    .map(([key, value]) =>
      key === "_tag" ? value : `${key} ${typeof value === "object" ? `(${inWords(value)})` : value}`
    )
    .join(", ")

export const tile = (name: string, value: string): Markup =>
  html`<div><dt>${name}</dt><dd>${value}</dd></div>`

export const row = (name: string, value: string | Markup): Markup =>
  html`<tr><th>${name}</th><td>${value}</td></tr>`

const overViewsInWords = ({ accuracy, interval: [low, high], views }: OverViews): string =>
  `${percent(accuracy)} with the mean over ${views} views of each image (95 % interval ${percent(low)} to ${percent(high)})`

export const overview = (
  { dataset, environment, experiment }: RunConfig,
  result: RunResult,
  images: { readonly train: number; readonly validation: number }
): Markup => {
  const [low, high] = result.interval
  const classes = result.confusion.length
  return html`<header><div><p class="kicker">${experiment.name}</p>
<p class="accuracy">${percent(result.accuracy)}</p>
<p class="lead">of ${count(result.images)} ${result.split} images of ${result.dataset} are classified right<br>
<span>95 % interval ${percent(low)} to ${percent(high)}</span></p>
<dl class="tiles">${[
    ...(classes > 5 ? [tile("Top-5 accuracy", percent(result.top5))] : []),
    tile("Loss", result.loss.toFixed(4)),
    tile("Parameters", short(result.parameters)),
    tile("Multiply-adds", short(result.multiplyAdds)),
    tile("Epochs", count(experiment.train.epochs)),
    tile("Training time", formatSeconds(result.trainSeconds))
  ]}</dl></div>
<div><table class="facts"><tbody>${[
    row("Model", inWords(experiment.model)),
    row(
      "Data",
      `${dataset.name}, ${classes} classes: ${count(images.train)} training, ${count(images.validation)} validation, ${count(result.images)} ${result.split} images`
    ),
    row("Weights", result.selection),
    ...(result.overViews ? [row("Test-time augmentation", overViewsInWords(result.overViews))] : []),
    row("Augmentation", experiment.augment.map((transform) => inWords(transform)).join("; ") || "none"),
    row("Seed", String(result.seed)),
    row("Device", environment.device),
    row(
      "Versions",
      `shakedrop ${environment.shakedrop}, TensorFlow ${environment.tensorflow}, Node ${environment.node}${environment.commit === null ? "" : `, commit ${environment.commit.slice(0, 12)}`}`
    ),
    row("Fingerprint", html`<code>${dataset.fingerprint.slice(0, 16)}</code>`),
    row("Command", html`<code>${result.command}</code>`)
  ]}</tbody></table>
<details><summary>The whole configuration</summary><pre>${JSON.stringify(experiment, null, 2)}</pre></details></div></header>`
}
