/**
 * Models as data: the architectures that a configuration can name, and the networks that it stands for. To add one: a
 * file in `Model/Architecture/`, and a line here.
 */
import type { ModelChoice } from "./Config/Experiment.ts"
import { definitionOf, oneOf } from "./Config/Registered.ts"
import { Airbench } from "./Model/Architecture/Airbench.ts"
import { DenseNet } from "./Model/Architecture/DenseNet.ts"
import { PreActResNet } from "./Model/Architecture/PreActResNet.ts"
import { PyramidNet } from "./Model/Architecture/PyramidNet.ts"
import { SimpleCnn } from "./Model/Architecture/SimpleCnn.ts"
import { VisionTransformer } from "./Model/Architecture/VisionTransformer.ts"
import { WideResNet } from "./Model/Architecture/WideResNet.ts"
import type { Model, ModelData } from "./Model/Define.ts"
import type { Network } from "./Model/Network.ts"

export { type AirbenchOptions, airbench } from "./Model/Architecture/Airbench.ts"
export { type DenseNetOptions, denseNet } from "./Model/Architecture/DenseNet.ts"
export { type PreActResNetOptions, preActResNet } from "./Model/Architecture/PreActResNet.ts"
export { type PyramidNetOptions, pyramidNet } from "./Model/Architecture/PyramidNet.ts"
export { type SimpleCnnOptions, simpleCnn } from "./Model/Architecture/SimpleCnn.ts"
export { type VisionTransformerOptions, visionTransformer } from "./Model/Architecture/VisionTransformer.ts"
export { type WideResNetOptions, wideResNet } from "./Model/Architecture/WideResNet.ts"
export {
  SHAKE_RANGES,
  type ShakeDraw,
  ShakeDropConfig,
  type ShakeDropOptions,
  shake,
  shakeDrop
} from "./Model/Block/ShakeDrop.ts"
export { transformerBlock } from "./Model/Block/TransformerBlock.ts"
export {
  defineModel,
  type Model,
  type ModelData,
  type ModelOptions
} from "./Model/Define.ts"
export { selfAttention } from "./Model/Layer/Attention.ts"
export { batchNorm } from "./Model/Layer/BatchNorm.ts"
export { pooledClassifier } from "./Model/Layer/Classifier.ts"
export { conv } from "./Model/Layer/Convolution.ts"
export { dropout } from "./Model/Layer/Dropout.ts"
export {
  halve,
  type Layer,
  type Mode,
  type Size,
  stateless,
  type TensorSpec,
  type Weights
} from "./Model/Layer/Layer.ts"
export { layerNorm } from "./Model/Layer/LayerNorm.ts"
export { linear } from "./Model/Layer/Linear.ts"
export { averagePool, maxPool } from "./Model/Layer/Pooling.ts"
export { recomputable } from "./Model/Layer/Recomputable.ts"
export { sequential } from "./Model/Lowering/Sequential.ts"
export { type DataInit, type Network, network } from "./Model/Network.ts"
export { fromPyTorch, toPyTorch } from "./Model/Weights/PyTorchLayout.ts"
export { pretrainedFor, WeightsError, weightsFor, wrapperIn } from "./Model/Weights/StateDict.ts"
export { whiteningFilters } from "./Model/Weights/Whitening.ts"
export { gelu, relu } from "./Ops/Activation.ts"

export const models = [
  SimpleCnn,
  PreActResNet,
  WideResNet,
  PyramidNet,
  DenseNet,
  VisionTransformer,
  Airbench
] as const

/** The Schema of this library's networks. */
export const ModelConfig = oneOf(models)

/** A network's architecture and options: one of this library's, or a program's own. */
export type ModelConfig = typeof ModelConfig.Type | ModelChoice

/** The same as it is written, for this library's architectures. */
export type ModelInput = typeof ModelConfig.Encoded

/**
 * The network that a configuration stands for; it has the data's number of classes unless the configuration says
 * another. `among` are the architectures that there are.
 */
export const makeNetwork = (
  config: ModelConfig,
  data: ModelData,
  among: ReadonlyArray<Model> = models
): Network =>
  definitionOf(among, config).make({ ...config, classes: config.classes ?? data.classes, size: data.size })
