/** Requests to save a training now, which goes on; on the command line they are a job scheduler's signals. */
import * as Context from "effect/Context"

/** Asked between two steps, or two batches of an evaluation; none unless provided. */
export const SaveRequests: Context.Reference<{
  /** Whether somebody has asked since the last time. */
  readonly take: () => boolean
}> = Context.Reference("shakedrop/Train/Run/SaveRequests", {
  defaultValue: () => ({ take: (): boolean => false })
})
