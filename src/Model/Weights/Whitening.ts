/**
 * Filters that make patches of images uncorrelated and of equal variance, in both signs (Page 2019, "How to Train
 * Your ResNet 8"; Jordan 2024, arXiv:2404.00498, section 3.1).
 */
import { float32, type HostTensor } from "../../Tensor/HostTensor.ts"
import { symmetricEigen } from "./Eigen.ts"

/** Side of a patch. */
export const PATCH = 2
const VALUES = PATCH * PATCH * 3
/** Number of filters. */
export const WHITENED = 2 * VALUES

/** Added to the variances, so that directions that hardly occur are not blown up. */
const EPSILON = 5e-4

/** Mean product of every two values of a patch, over all patches: [VALUES, VALUES] row by row. */
const patchCovariance = ({ data, shape }: HostTensor<"float32">): Float64Array => {
  const [n, height, width, channels] = shape
  const sums = new Float64Array(VALUES * VALUES)
  const patch = new Float64Array(VALUES)
  for (let image = 0; image < n; image++)
    for (let y = 0; y + PATCH <= height; y++)
      for (let x = 0; x + PATCH <= width; x++) {
        let at = 0
        for (let dy = 0; dy < PATCH; dy++) {
          const from = ((image * height + y + dy) * width + x) * channels
          for (let i = 0; i < PATCH * channels; i++) patch[at++] = data[from + i]
        }
        for (let i = 0; i < VALUES; i++) {
          const value = patch[i]
          for (let j = 0; j <= i; j++) sums[i * VALUES + j] += value * patch[j]
        }
      }
  const patches = n * (height - PATCH + 1) * (width - PATCH + 1)
  for (let i = 0; i < VALUES; i++)
    for (let j = 0; j <= i; j++) sums[j * VALUES + i] = sums[i * VALUES + j] /= patches
  return sums
}

/**
 * The kernel [2,2,3,24] of a convolution that whitens patches: eigenvectors of the patches' covariance, each
 * divided by the root of its eigenvalue, the largest first, then all of them negated. images [N,H,W,3], normalised.
 */
export const whiteningFilters = (images: HostTensor<"float32">): HostTensor<"float32"> => {
  const { values, vectors } = symmetricEigen(patchCovariance(images), VALUES)
  const kernel = new Float32Array(VALUES * WHITENED)
  for (let filter = 0; filter < VALUES; filter++) {
    const scale = 1 / Math.sqrt(values[filter] + EPSILON)
    for (let i = 0; i < VALUES; i++) {
      const value = scale * vectors[filter][i]
      kernel[i * WHITENED + filter] = value
      kernel[i * WHITENED + VALUES + filter] = -value
    }
  }
  return float32([PATCH, PATCH, 3, WHITENED], kernel)
}
