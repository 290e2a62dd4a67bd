/** `--plugin`: networks, steps of augmentation, optimisers, schedules and losses of one's own, for every command. */
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ConfigError } from "../../Config/Errors.ts"

export const pluginFlag = Flag.String("plugin").pipe(
  Flag.withDescription(
    "JavaScript module whose default export adds networks, steps, optimisers, schedules or losses; can be repeated"
  ),
  Flag.atLeast(0)
)

/** Registers what the flag names; nothing is loaded where it names nothing. */
export const pluginsOf = ({
  plugin
}: {
  readonly plugin: ReadonlyArray<string>
}): Layer.Layer<never, ConfigError> =>
  plugin.length === 0
    ? Layer.empty
    : Layer.unwrap(
        Effect.map(
          Effect.promise(() => import("../../Registry/Plugin.ts")),
          ({ pluginLayer }) => pluginLayer(plugin)
        )
      )
