/**
 * Batch normalisation and a 1×1 convolution beside it as one operation, for training on a CPU. Sums over the pixels of
 * one map follow from sums over those of the other, so that the map between the two need not be kept or read. The
 * variance is the mean of the squares less the square of the mean: exact to about 1e-3 where a channel's mean is a
 * hundred times its standard deviation, and better the nearer to zero the mean is.
 */
export { normPointwise } from "./Fused/NormThenPointwise.ts"
export { pointwiseNorm } from "./Fused/PointwiseThenNorm.ts"
