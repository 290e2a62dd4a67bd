/** The plugins that a run needs: written when it begins, and looked for whenever it is read. */
import { fileURLToPath } from "node:url"
import * as Schema from "effect/Schema"
import { isObject } from "../../Config/Overlay.ts"
import type { Experiment } from "../../Experiment.ts"
import { type Contents, KINDS, type Plugin } from "../../Registry.ts"

/** What `config.json` says of a plugin. */
export const PluginRecord = Schema.Struct({
  /** The file that it was loaded from, where it was loaded from one. */
  file: Schema.optionalKey(Schema.String),
  /** Those of its definitions that the experiment names. */
  names: Schema.Array(Schema.String)
})
export type PluginRecord = typeof PluginRecord.Type

/** Every name that a configuration chooses something by. */
const namesIn = (config: unknown): ReadonlyArray<string> => {
  if (Array.isArray(config)) return config.flatMap(namesIn)
  if (!isObject(config)) return []
  const inner = Object.values(config).flatMap(namesIn)
  return typeof config._tag === "string" ? [config._tag, ...inner] : inner
}

const namesOf = (plugin: Plugin | Contents): ReadonlyArray<string> =>
  KINDS.flatMap((kind) => (plugin[kind] ?? []).map(({ name }) => name))

const fileOf = ({ module }: Plugin): { readonly file?: string } =>
  module?.startsWith("file:") ? { file: fileURLToPath(module) } : {}

/** The plugins whose definitions an experiment names. */
export const pluginsOf = ({ plugins }: Contents, experiment: Experiment): ReadonlyArray<PluginRecord> => {
  const used = new Set(namesIn(experiment))
  return plugins.flatMap((plugin) => {
    const names = namesOf(plugin).filter((name) => used.has(name))
    return names.length === 0 ? [] : [{ ...fileOf(plugin), names }]
  })
}

/** Which plugin is not there, as `OwnNet of the plugin own.mjs`; undefined where all of them are. */
export const missingPlugin = (
  registry: Contents,
  plugins: ReadonlyArray<PluginRecord>
): string | undefined => {
  const known = new Set(namesOf(registry))
  for (const { file, names } of plugins) {
    const missing = names.filter((name) => !known.has(name))
    if (missing.length > 0) {
      return `${missing.join(" and ")} of ${file === undefined ? "a program's own plugin" : `the plugin ${file}`}`
    }
  }
  return undefined
}
