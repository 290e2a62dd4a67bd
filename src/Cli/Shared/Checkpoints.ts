/** What the commands that read a run's checkpoints have in common. */
import * as Console from "effect/Console"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { CheckpointName } from "../../Checkpoint.ts"

/** Which of a run's checkpoints. */
export const checkpointFlag = Flag.String("checkpoint").pipe(
  Flag.withDescription(
    "latest, best, or the number of a snapshot from 1; the best one unless given, or the newest where none was chosen"
  ),
  Flag.withSchema(
    Schema.String.check(
      Schema.isPattern(/^(?:latest|best|[1-9]\d*)$/, {
        expected: "latest, best or the number of a snapshot"
      })
    )
  ),
  Flag.map((name): CheckpointName => (name === "latest" || name === "best" ? name : Number(name))),
  Flag.optional
)

/** Names the damaged checkpoints that were passed over for an older one. */
export const tellSkipped = (skipped: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.forEach(skipped, (line) => Console.error(`shakedrop: ${line}; it is passed over`), { discard: true })
