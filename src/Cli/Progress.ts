/**
 * Progress of something long: one line that is rewritten on a terminal, a line every few seconds elsewhere.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Milliseconds between two lines that stay, and between two states of a line that is rewritten. */
const PLAIN_EVERY = 5_000
const TERMINAL_EVERY = 100

/** To call with how much is done, in any unit. */
export type OnProgress = (done: number, total: number) => void

/**
 * Shows progress on stderr until its scope is closed. Elsewhere than on a terminal the first line comes after a
 * few seconds; the last one, when all is done, always comes.
 */
export const progressLine = (
  describe: (done: number, total: number) => string,
  stream: NodeJS.WriteStream = process.stderr
): Effect.Effect<OnProgress, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => ({ last: stream.isTTY ? 0 : performance.now(), open: false })),
      // What is printed next, an error for instance, begins on a line of its own.
      (state) => Effect.sync(() => state.open && stream.write("\n"))
    ),
    (state): OnProgress =>
      (done, total) => {
        const now = performance.now()
        const every = stream.isTTY ? TERMINAL_EVERY : PLAIN_EVERY
        if (done < total && now - state.last < every) return
        state.last = now
        state.open = stream.isTTY
        stream.write(stream.isTTY ? `\r\x1b[2K${describe(done, total)}` : `${describe(done, total)}\n`)
      }
  )
