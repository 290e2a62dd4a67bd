/** The command line: all commands, and the flag that they share. What a command needs is loaded when it runs. */
import * as Command from "effect/cli/Command"
import { augmentCommand } from "./Cli/Augment.ts"
import { dataCommand } from "./Cli/Data.ts"
import { doctorCommand } from "./Cli/Doctor.ts"
import { ensembleCommand } from "./Cli/Ensemble.ts"
import { evaluateCommand } from "./Cli/Evaluate.ts"
import { exportCommand } from "./Cli/Export.ts"
import { modelsCommand } from "./Cli/Models.ts"
import { predictCommand } from "./Cli/Predict.ts"
import { recipesCommand } from "./Cli/Recipes.ts"
import { serveCommand } from "./Cli/Serve.ts"
import { setupCommand } from "./Cli/Setup.ts"
import { pluginFlag, pluginsOf } from "./Cli/Shared/Plugin.ts"
import { trainCommand } from "./Cli/Train.ts"
import { uiCommand } from "./Cli/Ui.ts"

export const shakedrop = Command.make("shakedrop").pipe(
  Command.withDescription("Train, evaluate and serve image classifiers"),
  Command.withExamples([
    { command: "shakedrop train", description: "The first run, about a minute on two cores" },
    { command: "shakedrop train --help", description: "What a command takes, with examples" }
  ]),
  Command.withSharedFlags({ plugin: pluginFlag }),
  Command.withSubcommands([
    setupCommand,
    doctorCommand,
    dataCommand,
    augmentCommand,
    recipesCommand,
    trainCommand,
    uiCommand,
    evaluateCommand,
    ensembleCommand,
    predictCommand,
    serveCommand,
    exportCommand,
    modelsCommand
  ]),
  Command.provide(pluginsOf)
)
