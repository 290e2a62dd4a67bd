/**
 * The library: everything that the modules `shakedrop/Device`, `/Data`, `/Augment`, `/Model`, `/Checkpoint`, `/Train`
 * and `/Ensemble` export, as namespaces, and the experiments.
 */
export * as Augment from "./Augment.ts"
export * as Checkpoint from "./Checkpoint.ts"
export * as Config from "./Config.ts"
export * as Data from "./Data.ts"
export * as Device from "./Device.ts"
export * as Ensemble from "./Ensemble.ts"
export * as Events from "./Events.ts"
export * as Experiment from "./Experiment.ts"
export * as Export from "./Export.ts"
export * as Model from "./Model.ts"
export * as Predict from "./Predict.ts"
export { findRecipe, type Recipe, recipes } from "./Recipe.ts"
export { type Plugin, Registry } from "./Registry.ts"
export * as Report from "./Report.ts"
export * as Tensor from "./Tensor/HostTensor.ts"
export * as Train from "./Train.ts"
