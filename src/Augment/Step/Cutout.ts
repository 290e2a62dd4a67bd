import { pixels, repeats, withDefault } from "../../Config/Fields.ts"
import { cutout } from "../Kernel/Erase.ts"
import { defineStep } from "./Step.ts"

/**
 * Hides squares of `length` pixels whose centres lie anywhere in the image, so that they may reach over its border:
 * DeVries and Taylor, "Improved regularization of convolutional neural networks with Cutout", 2017. Images are
 * normalised on the device, so what is hidden gets the data set's mean colour rounded to whole grey levels: zero
 * after normalisation, up to half a grey level.
 */
export const Cutout = defineStep({
  name: "Cutout",
  on: "image",
  fields: { length: pixels, holes: repeats.pipe(withDefault(1)) },
  compile:
    ({ holes, length }, { mean }) =>
    (canvas, random) => {
      for (let hole = 0; hole < holes; hole++) cutout(canvas, length, random, mean)
    }
})
