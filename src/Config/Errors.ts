import * as Schema from "effect/Schema"

const Reason = Schema.Literals([
  /** Keys of an experiment or of an ensemble are wrong, missing or unknown. */
  "Wrong",
  /** Members of an ensemble say different things of the same run. */
  "Contradiction",
  /** A folder is named for a data set that has none. */
  "UnusedFolder",
  /** There is no recipe of the name. */
  "NoRecipe",
  /** What was to be one value of a configuration is not of the form key=value. */
  "NotAnAssignment",
  /** A plugin cannot be loaded, or what it defines cannot be registered. */
  "Plugin"
])

/** A configuration is wrong; `message` is one line that names every wrong key. */
export class ConfigError extends Schema.TaggedError<ConfigError>()("ConfigError", {
  reason: Reason,
  message: Schema.String
}) {}
