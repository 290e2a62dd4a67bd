/**
 * What a process owes to its terminal, its pipes and its job scheduler: a closed terminal (SIGHUP) ends a command as
 * Ctrl-C does, so that a training saves; SIGUSR1 and SIGUSR2, which Slurm sends before a job's time is over where it is
 * asked to, save a training that goes on; a log that cannot be written any more stops nothing; and who stops reading
 * the output (`| head -1`) ends the command without an error.
 */
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { SaveRequests } from "../../Train/Run/SaveRequests.ts"

/** The command did its work, but what it printed is not whole; `message` says why in one line. */
export class OutputError extends Data.TaggedError("OutputError")<{ readonly message: string }> {}

const REASONS: Readonly<Record<string, string>> = { ENOSPC: "the disk is full", EIO: "the terminal is gone" }

type Listener = readonly [
  target: NodeJS.EventEmitter,
  event: string,
  f: (cause: NodeJS.ErrnoException) => void
]

/** Runs a command with the process's signals and streams attended to. */
export const asProcess = <A, E, R>(command: Effect.Effect<A, E, R>): Effect.Effect<A, E | OutputError, R> =>
  Effect.gen(function* () {
    const ended = yield* Deferred.make<never>()
    const end = () => Deferred.doneUnsafe(ended, Effect.interrupt)
    let toSave = false
    const askToSave = (): void => {
      toSave = true
    }
    const requests = {
      take: () => {
        const asked = toSave
        toSave = false
        return asked
      }
    }
    let lost: NodeJS.ErrnoException | undefined
    const noteLost = (cause: NodeJS.ErrnoException): void => {
      if (cause.code === "EPIPE") end()
      else lost ??= cause
    }
    const listeners: ReadonlyArray<Listener> = [
      [process, "SIGHUP", end],
      [process, "SIGUSR1", askToSave],
      [process, "SIGUSR2", askToSave],
      // The log: a training goes on without it.
      [process.stderr, "error", () => {}],
      [process.stdout, "error", noteLost]
    ]
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        for (const [target, event, f] of listeners) target.on(event, f)
      }),
      () =>
        Effect.sync(() => {
          // Streams keep theirs: what was written may still fail after the command has ended.
          for (const [target, event, f] of listeners) if (target === process) target.off(event, f)
        })
    )
    const result = yield* Effect.raceFirst(
      Effect.provideService(command, SaveRequests, requests),
      Deferred.await(ended)
    )
    // Errors of the last lines arrive when the event loop has turned.
    yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    if (lost === undefined) return result
    const reason = (lost.code !== undefined && REASONS[lost.code]) || lost.message
    return yield* new OutputError({ message: `what was printed could not be written: ${reason}` })
  }).pipe(Effect.scoped)
