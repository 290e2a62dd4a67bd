/** Images with what the network takes them for. */
import * as Effect from "effect/Effect"
import type { Split } from "../Data.ts"
import { html, type Markup, NOTHING, percent } from "./Html.ts"
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
  uri: string,
  names: ReadonlyArray<string>
) => {
  const right = label === predicted
  return html`<figure class="sample" title="test image ${position}">
<img src="${uri}" alt="${names[label]}">
<figcaption><span class="${right ? "right" : "wrong"}">${names[predicted]}</span> <b>${percent(probability, 1)}</b>${
    right ? NOTHING : html`<br><span class="truth">is ${names[label]}</span>`
  }</figcaption></figure>`
}

/** The most confidently wrong images of the test split, and some that are right. */
export const samples = Effect.fn("samples")(function* (
  split: Split,
  predictions: ReadonlyArray<Prediction>,
  names: ReadonlyArray<string>
) {
  const group = Effect.fnUntraced(function* (chosen: ReadonlyArray<Prediction>) {
    const uris = yield* dataUris(
      split,
      chosen.map(({ position }) => position)
    )
    return html`<div class="samples">${chosen.map((prediction, i) => card(prediction, uris[i], names))}</div>`
  })
  const wrong = mostConfidentlyWrong(predictions, WRONG)
  const section = (title: string, note: string, images: Markup): Markup =>
    html`<section><h2>${title}</h2><p class="note">${note}</p>${images}</section>`
  return [
    wrong.length === 0
      ? NOTHING
      : section(
          "Most confidently wrong",
          "Test images, with the predicted class, its probability, and what the image is.",
          yield* group(wrong)
        ),
    section(
      "Some that are right",
      "Evenly over the test split.",
      yield* group(someCorrect(predictions, CORRECT))
    )
  ]
})
