/** Whether `shakedrop train` is one of several replicas, or starts them. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { discover, LAUNCHED, launch, type Place, ReplicaError } from "../../Distributed.ts"
import { message } from "../../Events.ts"
import { openRun } from "../../Train.ts"
import type { TrainInput } from "./Flags.ts"

/** Arguments without those flags, which are followed by a value unless they are switches. */
const without = (
  args: ReadonlyArray<string>,
  flags: ReadonlyArray<string>,
  switches: ReadonlyArray<string>
) => {
  const kept: Array<string> = []
  for (let i = 0; i < args.length; i++) {
    if (switches.includes(args[i])) continue
    if (flags.includes(args[i])) i++
    else if (!flags.some((flag) => args[i].startsWith(`${flag}=`))) kept.push(args[i])
  }
  return kept
}

/** The command line again; where replicas are started anew, for the run that they had. */
const argumentsFor = (directory: string | undefined): ReadonlyArray<string> => {
  const [, script, ...args] = process.argv
  if (directory === undefined) return [script, ...args]
  return [script, ...without(args, ["--out"], ["--resume"]), "--resume", "--out", directory]
}

/** This process's place among replicas, if it has one; `launched` where it has started them, and they have ended. */
export const placeOf = Effect.fn("placeOf")(function* (input: TrainInput) {
  const { coordinator, rank, replicas, restarts, worldSize } = input
  const asked = {
    rank: Option.getOrUndefined(rank),
    worldSize: Option.getOrUndefined(worldSize),
    coordinator: Option.getOrUndefined(coordinator)
  }
  const found = discover(asked, process.env)
  if (Result.isFailure(found)) return yield* found.failure
  const place: Place | undefined = found.success
  if (replicas === 1 || process.env[LAUNCHED] !== undefined) return place
  if (place !== undefined) {
    return yield* new ReplicaError({
      reason: "Contradiction",
      message: `this process is replica ${place.index} of ${place.count} already, and cannot start ${replicas} of its own`
    })
  }
  const isBegun = (directory: string) => openRun(directory).isBegun
  yield* launch({ count: replicas, restarts, argumentsFor, isBegun, tell: message })
  return "launched" as const
})
