/** Shows what happens on a terminal: one line that is rewritten, or a line now and then where it is none. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Event, Events } from "../../Events.ts"
import { makeTerminal, type Output, type Terminal } from "../../Platform/StatusLine.ts"
import { trainingProgress } from "./TrainingProgress.ts"

/** Milliseconds between two lines that stay, and between two states of a line that is rewritten. */
const PLAIN_EVERY = 5_000
const TERMINAL_EVERY = 100

type Counted = Extract<Event, { readonly total: number }>

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1)

const describe = (event: Counted): string => {
  const { done, total } = event
  const share = `(${Math.floor((100 * done) / total)} %)`
  switch (event._tag) {
    case "View":
      return `asking the members about ${event.images} ${event.split} images: ${done} of ${total} views`
    case "Download":
      return `downloaded ${megabytes(done)} of ${megabytes(total)} MB ${share}`
    case "Decoded":
      return `decoded ${done} of ${total} images ${share}`
    case "Setup":
      return `${event.doing}: ${megabytes(done)} of ${megabytes(total)} MB ${share}`
  }
}

/**
 * Shows how much is done. Elsewhere than on a terminal the first line comes after a few seconds; the last one, when all
 * is done, always comes.
 */
const countedProgress = (terminal: Terminal, clock: Clock.Clock): ((event: Counted) => void) => {
  const now = (): number => clock.currentTimeMillisUnsafe()
  const show = terminal.live ? terminal.rewrite : terminal.print
  const every = terminal.live ? TERMINAL_EVERY : PLAIN_EVERY
  let last = terminal.live ? Number.NEGATIVE_INFINITY : now()
  return (event) => {
    const time = now()
    if (event.done < event.total && time - last < every) return
    last = time
    show(describe(event))
  }
}

/**
 * A consumer of events that shows them on a stream until the scope is closed. What was saved, and how a run ended, the
 * commands say themselves.
 */
export const showEvents = Effect.fnUntraced(function* (stream: Output = process.stderr) {
  const clock = yield* Clock.Clock
  const terminal = yield* makeTerminal(stream)
  const training = trainingProgress(terminal, clock)
  const counted = countedProgress(terminal, clock)
  const publish = (event: Event): void => {
    switch (event._tag) {
      case "Step":
        training.step(event)
        break
      case "Epoch":
        training.epoch(event.metrics)
        break
      case "Compiling":
      case "Message":
      case "Warning":
        terminal.print(event.text)
        break
      case "View":
      case "Download":
      case "Decoded":
      case "Setup":
        counted(event)
    }
  }
  return { publish } satisfies typeof Events.Service
})
