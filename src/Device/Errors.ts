/** What can go wrong between a program and the device that runs it. Each `message` is one line for the user. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

/** libtensorflow is missing, cannot be loaded, or is of another version than this package was made for. */
export class LibraryError extends Data.TaggedError("LibraryError")<{
  readonly message: string
  readonly cause?: unknown
}> {}

/** The device that was asked for is not there. */
export class DeviceUnavailable extends Data.TaggedError("DeviceUnavailable")<{
  readonly device: string
  readonly message: string
}> {}

/** A program cannot be traced: it reads a value, uses an op without gradient, or returns the wrong shape. */
export class TraceError extends Data.TaggedError("TraceError")<{
  /** The TensorFlow or tfjs op at fault, where there is one. */
  readonly op?: string
  readonly message: string
}> {}

/** TensorFlow refused to build or to run an operation. */
export class ExecutionError extends Data.TaggedError("ExecutionError")<{
  readonly op?: string
  readonly message: string
}> {}

/** The device's memory does not hold what the program needs. */
export class OutOfMemory extends Data.TaggedError("OutOfMemory")<{
  readonly op?: string
  readonly message: string
}> {}

/** This process cannot join others. */
export class ClusterError extends Data.TaggedError("ClusterError")<{
  /** Its server could be reached from everywhere, or did not start. */
  readonly reason: "Unconfined" | "NotStarted"
  readonly message: string
}> {}

export type DeviceError =
  | LibraryError
  | DeviceUnavailable
  | TraceError
  | ExecutionError
  | OutOfMemory
  | ClusterError

/** The code that TensorFlow's status carries when an allocation fails. */
const RESOURCE_EXHAUSTED = 8

/** The name of the op that a TensorFlow message points at: `{{node NAME}}` or `node 'NAME'`. */
const opIn = (message: string): string | undefined =>
  /\{\{node ([^}]+)\}\}/.exec(message)?.[1] ?? /for '([^']+)'/.exec(message)?.[1]

/** Makes a tagged error of a failed TensorFlow status. `doing` says what was tried, for instance `run train`. */
export const fromStatus = (code: number, text: string, doing: string): ExecutionError | OutOfMemory => {
  const op = opIn(text)
  // The first line says what is wrong; the rest is TensorFlow's own stack.
  const first = text.split("\n")[0]
  const where = op === undefined || first.includes(op) ? "" : ` (op ${op})`
  const fields = op === undefined ? {} : { op }
  return code === RESOURCE_EXHAUSTED
    ? new OutOfMemory({
        ...fields,
        message: `out of memory while trying to ${doing}${where}: ${first}`
      })
    : new ExecutionError({ ...fields, message: `TensorFlow could not ${doing}${where}: ${first}` })
}

const isDeviceError = (cause: unknown): cause is DeviceError =>
  cause instanceof TraceError ||
  cause instanceof ExecutionError ||
  cause instanceof OutOfMemory ||
  cause instanceof ClusterError

/** Runs synchronous engine code whose tagged errors are thrown. */
export const attempt = <A>(f: () => A): Effect.Effect<A, DeviceError> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(f())
    } catch (cause) {
      return isDeviceError(cause) ? Effect.fail(cause) : Effect.die(cause)
    }
  })
