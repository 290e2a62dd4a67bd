/** Trained networks as files for other programs. */
export { type Comparison, checkExport } from "./Export/Check.ts"
export { exportEnsemble } from "./Export/Ensemble.ts"
export { ExportError } from "./Export/Errors.ts"
export { type ExportFormat, type ExportOptions, exportNetwork } from "./Export/Export.ts"
export type { InputForm } from "./Export/Frozen.ts"
export { type RunFacts, readFacts } from "./Export/ModelCard.ts"
