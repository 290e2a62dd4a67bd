/** Trained networks as files for other programs. */
export { type ExportFormat, exportNetwork } from "./Export/Export.ts"
