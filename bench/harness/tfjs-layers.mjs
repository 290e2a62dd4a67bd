/** Layers of src/Model as programs for tfjs-node have them: normalisations stay by themselves in evaluation. */
import { batchNorm } from "../../dist/Model/Layer/BatchNorm.js"
import { conv } from "../../dist/Model/Layer/Convolution.js"
import { sequential } from "../../dist/Model/Layer/Layer.js"

export const convNorm = (names, { between = [], normalisation, ...convolution }) =>
  sequential([
    conv(names.conv, convolution),
    ...between,
    batchNorm(names.norm, convolution.out, normalisation)
  ])
