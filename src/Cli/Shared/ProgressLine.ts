/**
 * Progress of something long: one line that is rewritten on a terminal, a line every few seconds elsewhere.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { makeTerminal } from "../../Platform/StatusLine.ts"

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
  Effect.map(makeTerminal(stream), (terminal): OnProgress => {
    const show = terminal.live ? terminal.rewrite : terminal.print
    const every = terminal.live ? TERMINAL_EVERY : PLAIN_EVERY
    let last = terminal.live ? 0 : performance.now()
    return (done, total) => {
      const now = performance.now()
      if (done < total && now - last < every) return
      last = now
      show(describe(done, total))
    }
  })
