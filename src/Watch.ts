/**
 * Watching runs: a page on the runs of a folder, live while they are trained. It reads what is in the folder and writes
 * nothing.
 */
export { WatchError } from "./Watch/Errors.ts"
export { USUAL_PORT, type WatchOptions, watch } from "./Watch/Server.ts"
