/** The flags of `shakedrop serve`. */
import * as Argument from "effect/cli/Argument"
import type * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Schema from "effect/Schema"
import { DEFAULTS } from "../../Serve/Options.ts"
import { deviceFlag, optional, withShownDefault } from "../Shared/Flags.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const number = (name: string, minimum: number, maximum: number) =>
  Flag.Int(name).pipe(Flag.withSchema(between(minimum, maximum)))

/** `NAME=RUN` or `NAME:VERSION=RUN`. */
const NAMED = /^(?<name>[^=:]+)(?::(?<version>[^=:]+))?=(?<path>.+)$/s

export const flags = {
  runs: Argument.String("run").pipe(
    Argument.withDescription(
      "Runs' folders and ensembles' files, each a model by the name of its folder or file"
    ),
    Argument.variadic()
  ),
  models: Flag.String("model").pipe(
    Flag.withDescription("A model by a name of its own: NAME=RUN, or NAME:VERSION=RUN; can be repeated"),
    Flag.filter(
      (text) => NAMED.test(text),
      () => "expected NAME=RUN or NAME:VERSION=RUN"
    ),
    Flag.map((text) => {
      const { name = "", path = "", version = "1" } = NAMED.exec(text)?.groups ?? {}
      return { name, version, path }
    }),
    Flag.atLeast(0)
  ),
  host: Flag.String("host").pipe(
    Flag.withSchema(Schema.NonEmptyString),
    withShownDefault("Address to listen on; 0.0.0.0 is every one of this machine", DEFAULTS.host)
  ),
  port: number("port", 0, 65_535).pipe(withShownDefault("0 takes a free one", DEFAULTS.port)),
  maxBatch: number("max-batch", 1, 256).pipe(
    Flag.filter(
      (size) => Number.isInteger(Math.log2(size)),
      (size) => `expected a power of two, got ${size}`
    ),
    withShownDefault("Images in one run of the device at most", DEFAULTS.maxBatch)
  ),
  maxDelay: Flag.Finite("max-delay").pipe(
    Flag.withSchema(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 10_000 }))),
    withShownDefault("Milliseconds that an image waits at most for others to share a run", DEFAULTS.maxDelay)
  ),
  maxWaiting: number("max-waiting", 1, 100_000).pipe(
    withShownDefault("Requests in work at most; others are told to come again (503)", DEFAULTS.maxWaiting)
  ),
  maxBody: number("max-body", 1024, 1 << 30).pipe(
    withShownDefault("Bytes of a request's body at most", DEFAULTS.maxBody)
  ),
  maxPixels: number("max-pixels", 1, 16_383 ** 2).pipe(
    withShownDefault("Pixels of an image at most, before it is resized", DEFAULTS.maxPixels)
  ),
  timeout: number("timeout", 1, 3600).pipe(
    withShownDefault("Seconds in which a request has to arrive, and then to be answered", DEFAULTS.timeout)
  ),
  drain: number("drain", 0, 3600).pipe(
    withShownDefault("Seconds that requests in work are given when the server is ended", DEFAULTS.drain)
  ),
  tokens: optional(
    Flag.String("tokens"),
    "File with a role (infer or admin) and a bearer token on each line"
  ),
  watch: Flag.Boolean("watch").pipe(
    Flag.withDescription("Take newer weights of a run while serving, as soon as it keeps them"),
    Flag.withDefault(false)
  ),
  device: deviceFlag
}

export type ServeInput = Command.Command.Config.Infer<typeof flags>
