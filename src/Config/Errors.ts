import * as Data from "effect/Data"

/** A configuration is wrong; `message` is one line that names every wrong key. */
export class ConfigError extends Data.TaggedError("ConfigError")<{ readonly message: string }> {}
