/** Starting replicas on this machine: a process each, and all of them anew from the last checkpoint where that is wanted. */
import { type ChildProcess, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { availableParallelism } from "node:os"
import * as Effect from "effect/Effect"
import { freePort } from "./Address.ts"
import { ReplicaError } from "./Errors.ts"

/** In the environment of what is started here: that it is a replica, whatever its command line says. */
export const LAUNCHED = "SHAKEDROP_LAUNCHED"

export interface LaunchOptions {
  readonly count: number
  /** How often they are started again when one of them is lost. */
  readonly restarts: number
  /** The arguments of each. `directory` is the run's folder, where they are started again to continue it. */
  readonly argumentsFor: (directory: string | undefined) => ReadonlyArray<string>
  /** Whether the run in a folder can be continued. */
  readonly isBegun: (directory: string) => Effect.Effect<boolean>
  /** Tells people something. */
  readonly tell: (text: string) => Effect.Effect<void>
}

/** What other launchers have told this process is not about its replicas. */
const FOREIGN = /^(SLURM_|OMPI_|PET_|PMIX_|TORCHELASTIC_|JOB_COMPLETION_INDEX$|TF_CONFIG$)/

/**
 * Large messages would be mapped, zeroed and unmapped each time: with these thresholds of the C library, large sums take
 * half the time.
 */
const ALLOCATOR = { MALLOC_MMAP_THRESHOLD_: "1073741824", MALLOC_TRIM_THRESHOLD_: "4294967296" }

/** On a CPU replicas share the cores. */
const threads = (count: number): string => String(Math.max(1, Math.floor(availableParallelism() / count)))

const environmentOf = (index: number, count: number, port: number, secret: string): NodeJS.ProcessEnv => {
  const own = Object.entries(process.env).filter(([name]) => !FOREIGN.test(name))
  return {
    ...ALLOCATOR,
    TF_NUM_INTRAOP_THREADS: threads(count),
    ...Object.fromEntries(own),
    SHAKEDROP_SECRET: secret,
    [LAUNCHED]: "1",
    RANK: String(index),
    WORLD_SIZE: String(count),
    LOCAL_RANK: String(index),
    MASTER_ADDR: "127.0.0.1",
    MASTER_PORT: String(port)
  }
}

interface Ended {
  readonly code: number
  /** The signal that ended it, where it was one. */
  readonly signal: NodeJS.Signals | null
  /** Whether that was sent from here, because it did not end by itself after another had failed. */
  readonly late: boolean
}

interface Outcome {
  readonly ended: ReadonlyArray<Ended>
  /** The run's folder, once the first replica has it. */
  readonly directory: string | undefined
}

/** Exit codes of a process that was asked to end. */
const INTERRUPTED: ReadonlyArray<number> = [130, 143]

/** Milliseconds in which the others end by themselves once one has failed; a frozen one does not. */
const PATIENCE = 15_000

const endOf = (child: ChildProcess): Promise<Omit<Ended, "late">> =>
  new Promise((resolve) => child.on("exit", (code, signal) => resolve({ code: code ?? 1, signal })))

/** Runs all replicas to their end. Signals are passed on, to each once. */
const runOnce = ({ count }: LaunchOptions, args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const port = yield* freePort
    const secret = randomBytes(16).toString("hex")
    return yield* Effect.callback<Outcome & { readonly signalled: boolean }>((resume) => {
      let directory: string | undefined
      let signalled = false
      const children = Array.from({ length: count }, (_, index) =>
        spawn(process.execPath, [...process.execArgv, ...args], {
          env: environmentOf(index, count, port, secret),
          stdio: ["ignore", "inherit", "inherit", "ipc"],
          // In groups of their own: a terminal's Ctrl-C reaches them from here, and not twice.
          detached: true
        })
      )
      children[0].on("message", (told: { readonly directory?: string }) => {
        directory = told.directory ?? directory
      })
      const pass = (signal: NodeJS.Signals): void => {
        signalled = true
        for (const child of children) child.kill(signal)
      }
      const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const
      const listeners = signals.map((signal) => [signal, () => pass(signal)] as const)
      for (const [signal, listener] of listeners) process.on(signal, listener)
      let patience: NodeJS.Timeout | undefined
      let late = false
      const ends = children.map(async (child) => {
        const end = { ...(await endOf(child)), late }
        if (end.code !== 0 && !INTERRUPTED.includes(end.code)) {
          patience ??= setTimeout(() => {
            late = true
            for (const child of children) child.kill("SIGKILL")
          }, PATIENCE)
        }
        return end
      })
      Promise.all(ends).then((ended) => {
        clearTimeout(patience)
        for (const [signal, listener] of listeners) process.off(signal, listener)
        resume(Effect.succeed({ ended, directory, signalled }))
      })
    })
  }).pipe(Effect.uninterruptible)

/** Who was ended from outside, or who failed; each of the latter has said why. */
const describeEnd = (ended: ReadonlyArray<Ended>): string => {
  const told = ended.flatMap(({ code, late, signal }, i) => {
    if (code === 0) return []
    if (late) return [`replica ${i} did not end by itself`]
    return [signal === null ? `replica ${i} failed` : `replica ${i} was lost: it was ended by ${signal}`]
  })
  return told.join(", ")
}

/**
 * Starts replicas, and waits until they have ended.
 *
 * @errors ReplicaError where one of them failed; each has said why
 */
export const launch = Effect.fn("launch")(function* (options: LaunchOptions) {
  const { argumentsFor, count, isBegun, restarts, tell } = options
  let directory: string | undefined
  for (let attempt = 0; ; attempt++) {
    const outcome = yield* runOnce(options, argumentsFor(directory))
    if (outcome.ended.every(({ code }) => code === 0)) return
    const interrupted = outcome.ended.every(({ code }) => code === 0 || INTERRUPTED.includes(code))
    if (outcome.signalled || interrupted) return yield* Effect.interrupt
    const known = outcome.directory ?? directory
    directory = known !== undefined && (yield* isBegun(known)) ? known : undefined
    if (attempt >= restarts) {
      return yield* new ReplicaError({
        reason: "Ended",
        message: describeEnd(outcome.ended)
      })
    }
    yield* tell(`starting ${count} replicas again (${attempt + 1} of ${restarts})`)
  }
})
