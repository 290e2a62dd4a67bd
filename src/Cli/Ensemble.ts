/** `shakedrop ensemble`: many trained networks, one answer. */
import * as Command from "effect/cli/Command"
import { evaluateEnsembleCommand } from "./Ensemble/Evaluate.ts"
import { predictEnsembleCommand } from "./Ensemble/Predict.ts"
import { searchEnsembleCommand } from "./Ensemble/Search.ts"
import { trainEnsembleCommand } from "./Ensemble/Train.ts"

export const ensembleCommand = Command.make("ensemble").pipe(
  Command.withDescription("Combine trained networks: train members, search weights, evaluate, predict"),
  Command.withExamples([
    {
      command: "shakedrop ensemble train five.json",
      description: "docs/ensembles.md says what is in the file"
    }
  ]),
  Command.withSubcommands([
    trainEnsembleCommand,
    searchEnsembleCommand,
    evaluateEnsembleCommand,
    predictEnsembleCommand
  ])
)
