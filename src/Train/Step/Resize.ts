/** Images of another size, for progressive resizing (`Config/Resizing.ts`). */
import * as tf from "@tensorflow/tfjs-core"
import type { Size } from "../../Model/Layer/Layer.ts"

/** Height and width of images whose sides are `scale` times as long. */
export const scaled = ({ height, width }: Size, scale: number): Size => ({
  height: Math.round(scale * height),
  width: Math.round(scale * width)
})

/**
 * Images [N,H,W,3] of another size: bilinear interpolation between the centres of pixels, without a filter (PyTorch's
 * `interpolate(mode="bilinear", align_corners=False)`). At half the size that is the mean of two by two pixels.
 */
export const resize = (images: tf.Tensor, { height, width }: Size): tf.Tensor4D =>
  tf.image.resizeBilinear(images as tf.Tensor4D, [height, width], false, true)
