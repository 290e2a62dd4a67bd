/** Lines on a terminal, of which the last may be rewritten; elsewhere, lines that stay. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { oneLine, printable } from "./Text.ts"

/** What is written to: a stream of the process, or another. */
export interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly write: (text: string) => unknown
}

export interface Terminal {
  /** Whether a line can be rewritten. */
  readonly live: boolean
  /** Rewrites the last line, cut to the terminal's width. */
  readonly rewrite: (text: string) => void
  /** Adds a line that stays, in the place of one that was being rewritten. */
  readonly print: (text: string) => void
  /** Characters in a line. */
  readonly columns: () => number
}

const CLEAR = "\r\x1b[2K"

/** A stream as a terminal until its scope is closed; what is printed next then begins on a line of its own. */
export const makeTerminal = (stream: Output): Effect.Effect<Terminal, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => ({ open: false })),
      (state) => Effect.sync(() => state.open && stream.write("\n"))
    ),
    (state): Terminal => {
      const columns = (): number => stream.columns || 80
      return {
        live: stream.isTTY === true,
        columns,
        rewrite: (text) => {
          state.open = true
          // A line that is as wide as the terminal would wrap, and could not be rewritten.
          stream.write(`${CLEAR}${oneLine(text).slice(0, columns() - 1)}`)
        },
        print: (text) => {
          stream.write(`${state.open ? CLEAR : ""}${printable(text)}\n`)
          state.open = false
        }
      }
    }
  )
