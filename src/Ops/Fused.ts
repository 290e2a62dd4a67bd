/**
 * Batch normalisation and a 1×1 convolution beside it as one operation, for training on a CPU. Sums over the pixels of
 * one map follow from sums over those of the other, so that the map between the two need not be kept or read. Values
 * and gradients keep to 1e-3 where means are a thousand standard deviations from zero: what one pass cannot tell, two do.
 */
export { normPointwise } from "./Fused/NormThenPointwise.ts"
export { pointwiseNorm } from "./Fused/PointwiseThenNorm.ts"
