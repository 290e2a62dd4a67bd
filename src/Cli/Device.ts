/** The flag that chooses the device, the same for every command that computes. */
import * as Flag from "effect/cli/Flag"
import { DeviceName } from "../Device/Config.ts"

export const deviceFlag = Flag.String("device").pipe(
  Flag.withDescription("auto (a GPU if there is one), cpu, gpu or gpu:N"),
  Flag.withSchema(DeviceName),
  Flag.withDefault("auto")
)
