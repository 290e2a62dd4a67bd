/**
 * What an experiment can name: networks, steps of augmentation, optimisers, schedules and losses. This library's own are
 * there from the start; a program adds its own, and training, evaluation, ensembles, reports and exports know them.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Pipeline } from "./Augment/Pipeline.ts"
import type { Step } from "./Augment/Step/Step.ts"
import { steps } from "./Augment/Steps.ts"
import type { AvailableSteps } from "./Augment.ts"
import { ConfigError } from "./Config/Errors.ts"
import { type Schedule, schedules } from "./Config/Schedule.ts"
import type { Model } from "./Model/Define.ts"
import { models } from "./Model.ts"
import type { OptimizerDefinition } from "./Train/Optimizer/Define.ts"
import { optimizers } from "./Train/Optimizer/Optimizer.ts"
import { type Loss, losses } from "./Train/Step/Loss.ts"

/** Definitions of each kind. */
export interface Definitions {
  readonly models: ReadonlyArray<Model>
  readonly steps: ReadonlyArray<Step>
  readonly optimizers: ReadonlyArray<OptimizerDefinition>
  readonly schedules: ReadonlyArray<Schedule>
  readonly losses: ReadonlyArray<Loss>
}

/** Definitions of a program's own. Each has a version. */
export interface Plugin extends Partial<Definitions> {
  /**
   * The URL of a module whose default export is this plugin (its `import.meta.url`). Threads that augment load it for
   * the plugin's steps; without it, batches with these steps are made in the calling thread.
   */
  readonly module?: string
}

/** All that can be named. */
export interface Contents extends Definitions {
  /** What was added, the first first. */
  readonly plugins: ReadonlyArray<Plugin>
}

/** The kinds of definitions. */
export const KINDS = ["models", "steps", "optimizers", "schedules", "losses"] as const

const builtIn: Contents = { models, steps, optimizers, schedules, losses, plugins: [] }

/** What is wrong with a plugin for a registry, in one line; undefined where nothing is. */
const problemOf = (registry: Contents, plugin: Plugin): string | undefined => {
  for (const kind of KINDS) {
    const names = new Set(registry[kind].map(({ name }) => name))
    for (const { name, version } of plugin[kind] ?? []) {
      if (names.has(name)) return `${name} is registered twice among the ${kind}`
      if (version === undefined) return `${name}, one of the ${kind} of a plugin, has no version`
      names.add(name)
    }
  }
  return undefined
}

/** A registry with a plugin's definitions after its own. */
const extend = (registry: Contents, plugin: Plugin): Contents => ({
  models: [...registry.models, ...(plugin.models ?? [])],
  steps: [...registry.steps, ...(plugin.steps ?? [])],
  optimizers: [...registry.optimizers, ...(plugin.optimizers ?? [])],
  schedules: [...registry.schedules, ...(plugin.schedules ?? [])],
  losses: [...registry.losses, ...(plugin.losses ?? [])],
  plugins: [...registry.plugins, plugin]
})

/** What an experiment can name; this library's definitions unless a layer adds some. */
export class Registry extends Context.Reference<Contents>("shakedrop/Registry", {
  defaultValue: () => builtIn
}) {
  /**
   * Adds a program's own definitions to those that are there already. All plugins go into one layer, or into layers
   * that are provided one after the other: of layers side by side only one would count.
   *
   * @errors ConfigError where a name is taken, or a definition has no version
   */
  static readonly layer = (...plugins: ReadonlyArray<Plugin>): Layer.Layer<never, ConfigError> =>
    Layer.effect(
      Registry,
      Effect.gen(function* () {
        let registry = yield* Registry
        for (const plugin of plugins) {
          const problem = problemOf(registry, plugin)
          if (problem !== undefined) return yield* new ConfigError({ reason: "Plugin", message: problem })
          registry = extend(registry, plugin)
        }
        return registry
      })
    )
}

/** The steps that a pipeline can have, and the modules from which threads load those that it needs. */
export const stepsFor = ({ plugins, steps }: Contents, pipeline: Pipeline): AvailableSteps => {
  const names = new Set(pipeline.map(({ _tag }) => _tag))
  const needed = plugins.filter((plugin) => plugin.steps?.some(({ name }) => names.has(name)))
  const modules = needed.flatMap(({ module }) => (module === undefined ? [] : [module]))
  return { definitions: steps, modules: modules.length === needed.length ? modules : undefined }
}
