/** Events of what is tested. */
import * as Effect from "effect/Effect"
import { type Event, Events } from "../../src/Events.ts"

/** Runs an effect with a consumer of its events. */
export const heard = (consume: (event: Event) => void) => Effect.provideService(Events, { publish: consume })

/** Runs an effect with a consumer of the texts that people are told. */
export const heardTexts = (consume: (text: string) => void) =>
  heard((event) => "text" in event && consume(event.text))

/** Runs an effect, and calls after each step of a training. */
export const heardSteps = (consume: () => void) => heard(({ _tag }) => _tag === "Step" && consume())

/** Runs an effect with a consumer of how much is done of events of a kind. */
export const heardParts = (
  tag: "Decoded" | "Download" | "Setup" | "View",
  consume: (done: number, total: number, doing: string) => void
) =>
  heard((event) => {
    if (event._tag === tag) consume(event.done, event.total, event._tag === "Setup" ? event.doing : "")
  })
