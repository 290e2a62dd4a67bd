/** What to do about an error, for a person at a terminal: the only place that speaks of flags and commands. */
import { RunError } from "../../Train/Run/RunError.ts"

const aboutRun = ({ directory, reason }: RunError): string | undefined => {
  switch (reason) {
    case "AlreadyThere":
      return "continue it with --resume, or choose another --out"
    case "Changed":
      return "continue it without these changes, or start a new run with another --out"
    case "InUse":
      return "wait until that process ends, or end it"
    case "DamagedCheckpoint":
      return `choose another checkpoint on purpose with --checkpoint latest, or begin a new run${directory === undefined ? "" : " with another --out"}`
    case "OtherData":
      return "say where its own data lie with --data-dir"
    case "NoWeights":
      return "choose others with --weights"
    case "MissingPlugin":
      return "load it with --plugin"
    case "NotAFolder":
      return "choose another --out"
    default:
      return undefined
  }
}

/** An error in one line, with what to do about it. */
export const explain = (error: Error): string => {
  const advice = error instanceof RunError ? aboutRun(error) : undefined
  return advice === undefined ? error.message : `${error.message}: ${advice}`
}
