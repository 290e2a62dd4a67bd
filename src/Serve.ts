/** Trained networks in use: predictions for images and tensors, and files for other programs. */
export { ServeError } from "./Serve/Errors.ts"
export { type ExportFormat, exportNetwork } from "./Serve/Export.ts"
export { classifier, filesOf, type Prediction, type Unreadable } from "./Serve/Images.ts"
export { openRun, type Served } from "./Serve/Run.ts"
export { inputOf, predictTensors, readTensors } from "./Serve/Tensors.ts"
