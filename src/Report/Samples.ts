/** Images with what the network takes them for. */
import * as Effect from "effect/Effect"
import type { Split, SplitName } from "../Data.ts"
import { html, type Markup, NOTHING, percent } from "./Page/Html.ts"
import { mostConfidentlyWrong, type Prediction, someCorrect } from "./Predictions.ts"

const WRONG = 24
const CORRECT = 16

/** Larger images are made smaller; a report should open at once. */
const LARGEST = 128

/** PNGs of some images of a split, as addresses that hold them. */
const dataUris = Effect.fnUntraced(function* (split: Split, positions: ReadonlyArray<number>) {
  const { default: sharp } = yield* Effect.promise(() => import("sharp"))
  const { height, pixels, width } = split.images
  const size = height * width * 3
  const encode = async (position: number): Promise<string> => {
    const start = split.indices[position] * size
    // A copy: sharp does not take shared memory.
    const image = sharp(Uint8Array.from(pixels.subarray(start, start + size)), {
      raw: { width, height, channels: 3 }
    })
    const png = await image
      .resize(LARGEST, LARGEST, { fit: "inside", withoutEnlargement: true })
      .png({ compressionLevel: 9 })
      .toBuffer()
    return `data:image/png;base64,${png.toString("base64")}`
  }
  return yield* Effect.promise(() => Promise.all(positions.map(encode)))
})

const card = (
  { label, position, predicted, probability }: Prediction,
  split: SplitName,
  uri: string,
  names: ReadonlyArray<string>
) => {
  const right = label === predicted
  return html`<figure class="sample" title="${split} image ${position}">
<img src="${uri}" alt="${split} image ${position}: ${names[label]}">
<figcaption><span class="${right ? "right" : "wrong"}">${names[predicted]}</span> <b>${percent(probability, 1)}</b>${
    right ? NOTHING : html`<br><span class="truth">is ${names[label]}</span>`
  }</figcaption></figure>`
}

/** Some images of a split with their predictions. */
export const grid = Effect.fnUntraced(function* (
  split: Split,
  name: SplitName,
  predictions: ReadonlyArray<Prediction>,
  names: ReadonlyArray<string>
) {
  const uris = yield* dataUris(
    split,
    predictions.map(({ position }) => position)
  )
  return html`<div class="samples">${predictions.map((prediction, i) => card(prediction, name, uris[i], names))}</div>`
})

/** Where the worst mistakes are in a report, for links. */
export const MISTAKES = "mistakes"

/** The most confidently wrong images of the test split, and some that are right. */
export const samples = Effect.fn("samples")(function* (
  split: Split,
  predictions: ReadonlyArray<Prediction>,
  names: ReadonlyArray<string>
) {
  const wrong = mostConfidentlyWrong(predictions, WRONG)
  const section = (id: string, title: string, note: string, images: Markup): Markup =>
    html`<section id="${id}"><h2>${title}</h2><p class="note">${note}</p>${images}</section>`
  return [
    wrong.length === 0
      ? NOTHING
      : section(
          MISTAKES,
          "Most confidently wrong",
          "Test images, with the predicted class, its probability, and what the image is.",
          yield* grid(split, "test", wrong, names)
        ),
    section(
      "right",
      "Some that are right",
      "Evenly over the test split.",
      yield* grid(split, "test", someCorrect(predictions, CORRECT), names)
    )
  ]
})
