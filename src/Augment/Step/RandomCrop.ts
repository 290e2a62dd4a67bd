import * as Schema from "effect/Schema"
import { pixels } from "../../Config/Fields.ts"
import { crop } from "../Kernel/Crop.ts"
import { defineStep } from "./Step.ts"

/** A window of the image's own size, moved by up to `padding` pixels along each axis; `mode` says what is outside. */
export const RandomCrop = defineStep({
  name: "RandomCrop",
  on: "image",
  fields: { padding: pixels, mode: Schema.Literals(["reflect", "zero", "edge"]) },
  compile:
    ({ mode, padding }) =>
    (canvas, random) => {
      const top = random.int(2 * padding + 1) - padding
      const left = random.int(2 * padding + 1) - padding
      crop(canvas, top, left, mode)
    }
})
