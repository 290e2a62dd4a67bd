/** How replicas that are not the first start: where the first one does. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { isFirst } from "../Distributed.ts"
import { measureSpeed } from "./Probe/Forecast.ts"
import { Counters, START } from "./Run/Counters.ts"
import type { PreparedRun } from "./TrainingRun.ts"

/** What a replica does while the first one begins or continues the run. */
export const follow = Effect.fn("follow")(function* (run: PreparedRun) {
  const { experiment, images, program, replicas } = run
  // Where a run begins, the first one times steps, which takes all.
  if (!replicas.continues) yield* measureSpeed(program, images, experiment.train, true)
  return START
})

/** Bytes of counters as replicas exchange them. */
const ROOM = 4096

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Counters))

/** Gives all replicas the state and the counters of the first one. */
export const shareStart = Effect.fn("shareStart")(function* (
  { program, replicas }: PreparedRun,
  own: Counters
) {
  yield* program.adopt
  const text = Buffer.alloc(ROOM, isFirst(replicas) ? " " : 0)
  if (isFirst(replicas)) text.write(JSON.stringify(own))
  const told = yield* program.sum(Float32Array.from(text))
  return yield* Effect.orDie(decode(Buffer.from(told).toString()))
})
