/** Flags that several commands have, and that mean the same in each. */
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { DATASETS } from "../../Config/Data.ts"
import { DeviceName } from "../../Device/Session/ConfigProto.ts"

/** Describes a flag, and shows what holds unless it is given. */
export const withShownDefault =
  <const A extends string | number>(description: string, value: A) =>
  <B>(flag: Flag.Flag<B>): Flag.Flag<A | B> =>
    flag.pipe(Flag.withDescription(`${description} (default: ${value})`), Flag.withDefault(value))

/** A flag that need not be given, and what it is for. */
export const optional = <A>(flag: Flag.Flag<A>, description: string) =>
  flag.pipe(Flag.withDescription(description), Flag.optional)

/** Chooses the device, for every command that computes. */
export const deviceFlag = Flag.String("device").pipe(
  Flag.withSchema(DeviceName),
  withShownDefault("auto (a GPU if there is one), cpu, gpu or gpu:N", "auto")
)

/** Where a data set lies, for every command that needs one. */
export const dataDirFlag = (description: string) => optional(Flag.String("data-dir"), description)

/** Names a data set; each command says what that is for. */
export const datasetFlag = Flag.Literals("dataset", DATASETS)

export const splitFlag = Flag.Literals("split", ["train", "validation", "test"]).pipe(
  withShownDefault("Which images", "test")
)

export const workersFlag = Flag.Int("workers").pipe(
  Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 64 }))),
  Flag.withDescription(
    "Threads that augment; the result is the same (default: chosen by itself: some where the device waits for batches)"
  ),
  Flag.optional,
  Flag.map(Option.getOrUndefined)
)
