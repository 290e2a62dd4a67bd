/** Plugins in files of their own: definitions of a program's own, for the command line. */
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ConfigError } from "../Config/Errors.ts"
import { isObject } from "../Config/Overlay.ts"
import { LARGEST_TEXT, sizeOfFile } from "../Platform/Files.ts"
import { KINDS, type Plugin, Registry } from "../Registry.ts"

const isDefinition = (value: unknown): boolean =>
  isObject(value) && typeof value.name === "string" && "schema" in value

/** Whether a value has lists of definitions, and nothing else, under the names of their kinds. */
const isPlugin = (value: unknown): value is Plugin =>
  isObject(value) &&
  Object.entries(value).every(
    ([key, list]) =>
      key === "module" ||
      ((KINDS as ReadonlyArray<string>).includes(key) && Array.isArray(list) && list.every(isDefinition))
  )

/**
 * The plugin that is a module's default export. The module is run, by Node's own loader, as any import is.
 *
 * @errors ConfigError where the module cannot be loaded or has no plugin
 */
export const loadPlugin = Effect.fn("loadPlugin")(function* (file: string) {
  yield* sizeOfFile(file, LARGEST_TEXT).pipe(
    Effect.mapError(
      ({ message }) =>
        new ConfigError({ reason: "Plugin", message: `the plugin ${file} cannot be loaded: ${message}` })
    )
  )
  const module = pathToFileURL(resolve(file)).href
  const fail = (why: string) => new ConfigError({ reason: "Plugin", message: `the plugin ${file} ${why}` })
  const loaded = yield* Effect.tryPromise({
    try: (): Promise<{ readonly default?: unknown }> => import(/* @vite-ignore */ module),
    catch: (cause) => fail(`cannot be loaded: ${(cause as Error).message.split("\n")[0]}`)
  })
  if (!isPlugin(loaded.default)) {
    return yield* fail(`does not export, as its default, an object with lists of ${KINDS.join(", ")}`)
  }
  return { ...loaded.default, module }
})

/** Registers the plugins in files. */
export const pluginLayer = (files: ReadonlyArray<string>): Layer.Layer<never, ConfigError> =>
  Layer.unwrap(Effect.map(Effect.forEach(files, loadPlugin), (plugins) => Registry.layer(...plugins)))
