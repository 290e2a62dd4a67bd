/**
 * What can go wrong between a program and the device that runs it. `message` says in one line what is wrong, and
 * `reason` is for programs to match on; what to do about it is told where the person is, at a terminal.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

export type LibraryReason =
  /** Nothing was set up. */
  | "NotSetUp"
  /** Files of what was set up are missing or cut off. */
  | "Damaged"
  /** SHAKEDROP_LIBTENSORFLOW names a file that is not there. */
  | "OwnMissing"
  /** The dynamic loader refuses the file. */
  | "CannotLoad"
  | "WrongVersion"
  /** There is no build of it for this platform. */
  | "NoBuild"
  /** It is loaded, but cannot list its devices. */
  | "NoDeviceList"
  /** The disk is full, or the quota is used up. */
  | "Full"
  /** The cache cannot be written. */
  | "NotWritable"
  | "NoPython"
  /** python3 is there, but cannot be started. */
  | "PythonFails"
  | "NoPip"
  /** What was downloaded is not the official file. */
  | "OtherFile"
  | "Certificate"
  | "Network"
  /** pip finds no such wheel. */
  | "NoWheel"
  /** Anything else that pip says. */
  | "PipFails"
  /** Anything else that the file system says. */
  | "Storage"

/** libtensorflow is missing, cannot be set up or loaded, or is of another version than this package was made for. */
export class LibraryError extends Data.TaggedError("LibraryError")<{
  readonly reason: LibraryReason
  readonly message: string
  readonly cause?: unknown
}> {}

/** The device that was asked for is not there (`NoDevice`), or does not compute in the precision (`Precision`). */
export class DeviceUnavailable extends Data.TaggedError("DeviceUnavailable")<{
  readonly reason: "NoDevice" | "Precision"
  readonly device: string
  readonly message: string
}> {}

export type TraceReason =
  | "NoGradient"
  | "NoKernel"
  /** It reads a tensor's value while it is traced. */
  | "ReadsValue"
  /** A shape depends on values, or on the number of images in a way that cannot be exported. */
  | "UnknownShape"
  /** A tensor of another program, or an op outside of any. */
  | "OtherProgram"
  /** The state that it returns is not the one it was given. */
  | "WrongState"
  /** TensorFlow does not take an operation. */
  | "Refused"
  /** A type or an attribute that cannot be recorded. */
  | "Unsupported"
  /** Anything else that the program throws. */
  | "Throws"

/** A program cannot be traced: it reads a value, uses an op without gradient, or returns the wrong shape. */
export class TraceError extends Data.TaggedError("TraceError")<{
  readonly reason: TraceReason
  /** The TensorFlow or tfjs op at fault, where there is one. */
  readonly op?: string
  readonly message: string
}> {}

/** A program was given what it does not take (`WrongInput`), or TensorFlow refused to build or run an op (`Refused`). */
export class ExecutionError extends Data.TaggedError("ExecutionError")<{
  readonly reason: "WrongInput" | "Refused"
  readonly op?: string
  readonly message: string
}> {}

/** The memory does not hold what the program needs. */
export class OutOfMemory extends Data.TaggedError("OutOfMemory")<{
  /**
   * The device has no room for what a program computes (`Program`), TensorFlow none for a tensor that it is given
   * (`Tensor`), or JavaScript none for one that it is given back (`JavaScript`).
   */
  readonly reason: "Program" | "Tensor" | "JavaScript"
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
        reason: "Program",
        message: `out of memory while trying to ${doing}${where}: ${first}`
      })
    : new ExecutionError({
        ...fields,
        reason: "Refused",
        message: `TensorFlow could not ${doing}${where}: ${first}`
      })
}

const isDeviceError = (cause: unknown): cause is DeviceError =>
  cause instanceof TraceError ||
  cause instanceof ExecutionError ||
  cause instanceof OutOfMemory ||
  cause instanceof ClusterError

/** Runs synchronous engine code whose tagged errors are thrown. */
export const tryEngine = <A>(f: () => A): Effect.Effect<A, DeviceError> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(f())
    } catch (cause) {
      return isDeviceError(cause) ? Effect.fail(cause) : Effect.die(cause)
    }
  })
