/**
 * The runs of a folder, read by the run folder's reader while others train them. What has not changed on the disk is
 * not read again.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import type { EpochMetrics } from "../Events.ts"
import { openRun, type RunConfig, type RunResult } from "../Train.ts"

export interface WatchedRun {
  /** Where it is in the folder, with slashes; the folder's own name where it is the run. */
  readonly name: string
  readonly directory: string
  readonly state: "training" | "finished" | "stopped" | "unreadable"
  /** Why it, or something of it, cannot be read. */
  readonly problem?: string
  readonly config?: RunConfig
  readonly metrics: ReadonlyArray<EpochMetrics>
  readonly result?: RunResult
  readonly hasReport: boolean
  /** When something of it was last written, in milliseconds since 1970. */
  readonly changed: number
}

/** How deep runs are looked for: `runs/NAME`, the members of an ensemble, and one more. */
const DEEPEST = 3

/** Runs that are shown at most; a page of more is of no use, and would take long. */
export const MOST = 1000

const isRun = (folder: string): boolean => fs.existsSync(path.join(folder, "config.json"))

/** The folders in a folder; links are followed. None where it cannot be read. */
const foldersIn = (folder: string): ReadonlyArray<string> => {
  try {
    return fs
      .readdirSync(folder, { withFileTypes: true })
      .filter((entry) => !entry.name.startsWith(".") && (entry.isDirectory() || entry.isSymbolicLink()))
      .map(({ name }) => path.join(folder, name))
      .filter((inner) => fs.statSync(inner, { throwIfNoEntry: false })?.isDirectory())
  } catch {
    return []
  }
}

/** The folders of runs in a folder, itself among them; there are no runs within a run. */
export const findRuns = (root: string, depth = 0): ReadonlyArray<string> =>
  isRun(root)
    ? [root]
    : depth === DEEPEST
      ? []
      : foldersIn(root).flatMap((folder) => findRuns(folder, depth + 1))

/** The files of a run that are shown, and their states on the disk. */
const FILES = ["config.json", "metrics.jsonl", "result.json", "report.html"]

const signatureOf = (directory: string) => {
  const stats = FILES.map((file) => fs.statSync(path.join(directory, file), { throwIfNoEntry: false }))
  return {
    text: stats
      .map((stat) => (stat === undefined ? "" : `${stat.ino} ${stat.size} ${stat.mtimeMs}`))
      .join(","),
    changed: Math.max(0, ...stats.map((stat) => stat?.mtimeMs ?? 0))
  }
}

const readRun = Effect.fnUntraced(function* (name: string, directory: string, changed: number) {
  const run = openRun(directory)
  const problems: Array<string> = []
  const part = <A, E extends { readonly message: string }>(read: Effect.Effect<A, E>) =>
    Effect.catch(read, ({ message }) =>
      Effect.sync(() => {
        problems.push(message)
        return undefined
      })
    )
  const config = yield* part(run.config)
  const metrics = yield* part(run.metrics)
  const result = (yield* run.isFinished) ? yield* part(run.result) : undefined
  const state = config === undefined ? "unreadable" : result === undefined ? "stopped" : "finished"
  return {
    name,
    directory,
    state,
    metrics: metrics ?? [],
    hasReport: fs.existsSync(run.report),
    changed,
    ...(config && { config }),
    ...(result && { result }),
    ...(problems.length > 0 && { problem: problems.join("; ") })
  } satisfies WatchedRun
})

/** Reads the runs of a folder, newest first; the same array as long as nothing has changed. */
export const watchedRuns = (root: string): Effect.Effect<ReadonlyArray<WatchedRun>> => {
  const known = new Map<string, { readonly signature: string; readonly run: WatchedRun }>()
  let last: ReadonlyArray<WatchedRun> = []

  const current = Effect.fnUntraced(function* (directory: string) {
    const { changed, text } = signatureOf(directory)
    const training = (yield* openRun(directory).trainer) !== undefined
    const signature = `${text} ${training}`
    const before = known.get(directory)
    if (before?.signature === signature) return before.run
    const name = path.relative(root, directory).split(path.sep).join("/") || path.basename(root)
    const read = yield* readRun(name, directory, changed)
    const run: WatchedRun = training && read.state === "stopped" ? { ...read, state: "training" } : read
    known.set(directory, { signature, run })
    return run
  })

  return Effect.gen(function* () {
    const directories = findRuns(root).slice(0, MOST)
    const runs = yield* Effect.forEach(directories, current)
    for (const directory of known.keys()) if (!directories.includes(directory)) known.delete(directory)
    const sorted = runs.toSorted((a, b) => b.changed - a.changed)
    if (sorted.length !== last.length || sorted.some((run, i) => run !== last[i])) last = sorted
    return last
  })
}
