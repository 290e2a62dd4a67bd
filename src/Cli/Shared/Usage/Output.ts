/** How the command line shows help, its version and a user's mistake: the mistake in one line, without the help. */
import * as Console from "effect/Console"
import * as CliOutput from "effect/cli/CliOutput"
import * as Effect from "effect/Effect"
import { oneLine } from "../../../Platform/Text.ts"
import { describeMistake } from "./Mistake.ts"

const tellMistakes = Effect.fnUntraced(function* ({
  commandPath,
  errors,
  helpDoc
}: CliOutput.Presenter.InvalidInvocation) {
  const lines = yield* Effect.forEach(errors, (error) => describeMistake(error, helpDoc))
  yield* Console.error(`shakedrop: ${oneLine(lines.join("; "))} (see ${commandPath.join(" ")} --help)`)
})

export const output = CliOutput.layerPresenter({
  present: (event) =>
    event._tag === "InvalidInvocation" ? tellMistakes(event) : CliOutput.defaultPresenter.present(event)
})
