/** What looks at images: convolutions, pooling, normalisation, resizing. ONNX has them with channels first. */

import type { Builder, Operand } from "./Builder.ts"
import type { Attributes } from "./Messages.ts"
import {
  decimal,
  flag,
  list,
  numbersOf,
  type Operation,
  refused,
  type Translation,
  word
} from "./Operation.ts"

/** Of a value for each axis of [N,H,W,C], those of height and width. */
const spatial = (values: ReadonlyArray<number>): ReadonlyArray<number> => values.slice(1, 3)

/** Explicit paddings are pairs for each axis. */
const explicit = (pads: ReadonlyArray<number>): ReadonlyArray<number> => [pads[2], pads[4], pads[3], pads[5]]

/** What is added around images: by ONNX's own numbers where they do not depend on the images' size. */
const padding = (
  operation: Operation,
  window: ReadonlyArray<number>,
  strides: ReadonlyArray<number>
): Attributes => {
  if (word(operation, "data_format") !== "NHWC") throw refused(operation, "its images are not [N,H,W,C]")
  switch (word(operation, "padding")) {
    case "VALID":
      return {}
    case "EXPLICIT":
      return { pads: explicit(list(operation, "explicit_paddings")) }
    default: {
      // TensorFlow adds the odd one below and to the right, as ONNX does at the "upper" end of the axes.
      if (strides.some((stride) => stride !== 1)) return { auto_pad: "SAME_UPPER" }
      const before = window.map((side) => Math.floor((side - 1) / 2))
      return { pads: [...before, ...window.map((side, i) => side - 1 - before[i])] }
    }
  }
}

/** A kernel [height,width,in,out] as ONNX has it: [out,in,height,width]. */
const KERNEL = [3, 2, 0, 1]

const conv: Translation = (operation, to) => {
  const [x, kernel] = operation.inputs
  if (kernel.kind !== "constant") throw refused(operation, "its kernel is computed")
  const strides = spatial(list(operation, "strides"))
  const dilations = spatial(list(operation, "dilations"))
  const sides = kernel.constant.shape.slice(0, 2)
  const window = sides.map((side, i) => (side - 1) * dilations[i] + 1)
  return [
    to.emit("Conv", [to.first(x), to.constant(kernel, KERNEL)], {
      name: operation.name,
      rank: 4,
      first: true,
      attributes: { kernel_shape: sides, strides, dilations, ...padding(operation, window, strides) }
    })
  ]
}

const pool =
  (op: string): Translation =>
  (operation, to) => {
    const window = spatial(list(operation, "ksize"))
    const strides = spatial(list(operation, "strides"))
    return [
      to.emit(op, [to.first(operation.inputs[0])], {
        name: operation.name,
        rank: 4,
        first: true,
        attributes: { kernel_shape: window, strides, ...padding(operation, window, strides) }
      })
    ]
  }

const batchNorm: Translation = (operation, to) => {
  const [x, ...statistics] = operation.inputs
  if (flag(operation, "is_training")) throw refused(operation, "it takes the statistics of its batch")
  if (word(operation, "data_format") !== "NHWC") throw refused(operation, "its images are not [N,H,W,C]")
  return [
    to.emit("BatchNormalization", [to.first(x), ...statistics.map((one) => to.last(one))], {
      name: operation.name,
      rank: 4,
      first: true,
      attributes: { epsilon: { float: decimal(operation, "epsilon") } }
    })
  ]
}

/** How places of the result are found in the image. */
const coordinates = (operation: Operation): string =>
  flag(operation, "half_pixel_centers")
    ? "half_pixel"
    : flag(operation, "align_corners")
      ? "align_corners"
      : "asymmetric"

const resize = (operation: Operation, to: Builder, how: Attributes): ReadonlyArray<Operand> => {
  const sizes = to.integers(numbersOf(operation, 1))
  return [
    // Neither a region of interest nor scales.
    to.emit("Resize", [to.first(operation.inputs[0]), "", "", sizes], {
      name: operation.name,
      rank: 4,
      first: true,
      attributes: { axes: [2, 3], coordinate_transformation_mode: coordinates(operation), ...how }
    })
  ]
}

export const spatialOperations: Readonly<Record<string, Translation>> = {
  AvgPool: pool("AveragePool"),
  Conv2D: conv,
  FusedBatchNormV3: batchNorm,
  MaxPool: pool("MaxPool"),
  ResizeBilinear: (operation, to) => resize(operation, to, { mode: "linear" })
}
