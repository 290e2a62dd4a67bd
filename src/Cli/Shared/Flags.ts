/** Flags that several commands have, and that mean the same in each. */
import * as Flag from "effect/cli/Flag"
import * as Schema from "effect/Schema"
import { DATASETS } from "../../Config/Data.ts"
import { DeviceName } from "../../Device/Session/ConfigProto.ts"

/** Chooses the device, for every command that computes. */
export const deviceFlag = Flag.String("device").pipe(
  Flag.withDescription("auto (a GPU if there is one), cpu, gpu or gpu:N"),
  Flag.withSchema(DeviceName),
  Flag.withDefault("auto")
)

/** Names a data set; each command says what that is for. */
export const datasetFlag = Flag.Literals("dataset", DATASETS)

export const splitFlag = Flag.Literals("split", ["train", "validation", "test"]).pipe(
  Flag.withDescription("Which images"),
  Flag.withDefault("test")
)

export const workersFlag = Flag.Int("workers").pipe(
  Flag.withDescription("Threads that augment, where the device waits for batches; the result is the same"),
  Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 64 }))),
  Flag.withDefault(0)
)
