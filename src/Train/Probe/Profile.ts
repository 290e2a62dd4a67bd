/** Where the time of a training step goes: its operations as a Chrome trace, and their kinds as a short table. */
import { availableParallelism } from "node:os"
import * as Effect from "effect/Effect"
import type { TrainConfig } from "../../Config.ts"
import type { OpEvent } from "../../Device.ts"
import { writeFileAtomic } from "../../Platform/Files.ts"
import type { Images } from "../Step/EntryPoints.ts"
import type { TrainingProgram } from "../Step/TrainingProgram.ts"
import { onTrial } from "./TrialSteps.ts"

/** Kinds of operations in the table. */
const KINDS = 10

/** Rows for operations that overlap: each goes to the first row that is free when it starts. */
const rowsOf = (events: ReadonlyArray<OpEvent>): ReadonlyArray<number> => {
  const free: Array<number> = []
  return events.map(({ duration, start }) => {
    const row = free.findIndex((end) => end <= start)
    const chosen = row < 0 ? free.length : row
    free[chosen] = start + duration
    return chosen
  })
}

/**
 * A trace for chrome://tracing or Perfetto, of events in the order of their starts: a process for each device, and in
 * it as many threads as had something to do at the same time.
 */
export const chromeTrace = (events: ReadonlyArray<OpEvent>) => ({
  traceEvents: [...new Set(events.map(({ device }) => device))].flatMap((device, pid) => {
    const own = events.filter((event) => event.device === device)
    const rows = rowsOf(own)
    return [
      { name: "process_name", ph: "M", pid, args: { name: device } },
      ...own.map(({ duration, node, op, start }, i) => ({
        ...{ name: op, ph: "X", ts: start, dur: duration, pid, tid: rows[i], args: { node } }
      }))
    ]
  })
})

/** The share of each kind of operation in the time that threads were busy, largest first. */
export const sharesOf = (
  events: ReadonlyArray<OpEvent>
): ReadonlyArray<{ readonly op: string; readonly share: number }> => {
  const sums = new Map<string, number>()
  let total = 0
  for (const { duration, op } of events) {
    sums.set(op, (sums.get(op) ?? 0) + duration)
    total += duration
  }
  return [...sums].map(([op, sum]) => ({ op, share: sum / total })).sort((a, b) => b.share - a.share)
}

/** What a step took, and of all cores together. */
export interface Usage {
  readonly seconds: number
  readonly coreSeconds: number
  readonly cores: number
}

/** What a user wants to know of a step, a line each. */
export const describeProfile = (
  events: ReadonlyArray<OpEvent>,
  { cores, coreSeconds, seconds }: Usage
): ReadonlyArray<string> => [
  `a step takes ${seconds.toPrecision(3)} s, in which ${coreSeconds.toPrecision(3)} of ${(cores * seconds).toPrecision(3)} core-seconds are busy, by operation:`,
  ...sharesOf(events)
    .slice(0, KINDS)
    .map(({ op, share }) => `${(100 * share).toFixed(1).padStart(6)} %  ${op}`)
]

/**
 * Runs a step under TensorFlow's eyes, writes its trace where there is a file for it, and gives the table. The state is
 * as before afterwards.
 */
export const profileStep = Effect.fn("profileStep")(function* (
  program: TrainingProgram,
  images: Images,
  train: TrainConfig,
  file: string | undefined
) {
  const { events, usage } = yield* onTrial(
    program,
    images,
    train,
    Effect.fnUntraced(function* (batch, at) {
      // TensorFlow plans and compiles in the first step; that which is profiled takes longer than others.
      yield* program.step(batch, at)
      const [cpu, start] = [process.cpuUsage(), performance.now()]
      yield* program.step(batch, at)
      const seconds = (performance.now() - start) / 1000
      const { system, user } = process.cpuUsage(cpu)
      const usage = { seconds, coreSeconds: (system + user) / 1e6, cores: availableParallelism() }
      return { events: yield* program.profile(batch, at), usage }
    })
  )
  if (file !== undefined) yield* writeFileAtomic(file, JSON.stringify(chromeTrace(events)))
  return describeProfile(events, usage)
})
