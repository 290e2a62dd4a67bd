/**
 * The operations that networks, losses and optimisers are written with, beside those of `@tensorflow/tfjs-core`: each
 * has a gradient, and is fast on the device. Images are NHWC; kernels are [height, width, in, out].
 */
export { gelu, relu } from "./Ops/Activation.ts"
export { batchNormInference, batchNormTraining } from "./Ops/BatchNorm.ts"
export { addBias, conv2d } from "./Ops/Convolution.ts"
export { valueAndGradients } from "./Ops/Gradients.ts"
export { layerNorm } from "./Ops/LayerNorm.ts"
export { halfSquaredNorm, softmaxCrossEntropy } from "./Ops/Loss.ts"
export { maxPool } from "./Ops/Pooling.ts"
export { type RandomKey, randomUniform } from "./Ops/Random.ts"
export { recompute } from "./Ops/Recompute/Checkpointing.ts"
