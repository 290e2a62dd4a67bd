/** Trained networks in use: predictions for images and tensors. */
export { PredictError } from "./Predict/Errors.ts"
export { classifier, filesOf, type Prediction, type Unreadable } from "./Predict/Images.ts"
export { inputOf, predictTensors, readTensors } from "./Predict/Tensors.ts"
export { type Served, servedNetwork } from "./Predict/TrainedRun.ts"
