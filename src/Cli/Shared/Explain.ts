/** What to do about an error, for a person at a terminal: the only place that speaks of flags and commands. */
import { basename, dirname } from "node:path"
import * as Predicate from "effect/Predicate"
import { ConfigError } from "../../Config/Errors.ts"
import { DataError } from "../../Data/Types.ts"
import { DeviceUnavailable, LibraryError, type LibraryReason } from "../../Device/Errors.ts"
import { oneLine } from "../../Platform/Text.ts"
import { RunError } from "../../Train/Run/RunError.ts"

const aboutRun = ({ reason }: RunError): string | undefined => {
  switch (reason) {
    case "AlreadyThere":
      return "continue it with --resume, or choose another --out"
    case "Changed":
      return "continue it without these changes, or start a new run with another --out"
    case "InUse":
      return "wait until that process ends, or end it"
    case "DamagedBest":
      return "choose another checkpoint on purpose with --checkpoint latest"
    case "DamagedCheckpoint":
      return "put a good copy of the file back, or start a new run with another --out"
    case "OtherData":
      return "say where its own data are with --data-dir"
    case "DataGone":
      return "say where they are now with --data-dir"
    case "NoWeights":
      return "choose others with --weights"
    case "MissingPlugin":
      return "load it with --plugin"
    case "NoInitialWeights":
      return "say where they are with --set train.initialWeights=FILE"
    case "TooLarge":
      return "make the network smaller (--set model.…)"
    case "NotAFolder":
      return "choose another --out"
    default:
      return undefined
  }
}

const aboutConfig = ({ reason }: ConfigError): string | undefined => {
  switch (reason) {
    case "NotAnAssignment":
      return "that is what --set takes"
    case "NoRecipe":
      return "`shakedrop recipes` says what each is"
    default:
      return undefined
  }
}

/** The archives as published are read: nobody has to know of other forms. */
const aboutData = ({ dataset, path, reason }: DataError): string | undefined => {
  switch (reason) {
    case "NotThere":
      return `fetch it with \`shakedrop data download ${dataset} --to ${path}\``
    case "Ambiguous":
      return "name one of them with --data-dir"
    case "Damaged":
      return "unpack or download the archive again"
    case "UnreadableImage":
      return "repair or remove it, or leave all such images out (--set data.skipUnreadable=true; data info and data import: --skip-unreadable)"
    case "Unreachable":
      return `run the command again to go on with what has arrived, name another server with --mirror, set HTTPS_PROXY where there is a proxy, or fetch ${basename(path ?? "")} in another way and put it into ${dirname(path ?? "")}`
    case "Refused":
      return "check the mirror's address, or name another one with --mirror"
    case "OtherFile":
      return "run the command again, or name another server with --mirror"
    case "InTheWay":
      return "remove it and run the command again"
    case "InUse":
      return "wait until that process is done, or end it"
    default:
      return undefined
  }
}

const SETUP_AGAIN = "run `npx shakedrop setup` again"

const KEPT = `${SETUP_AGAIN}, which keeps what was downloaded completely`

const aboutLibrary: Readonly<Record<LibraryReason, string | undefined>> = {
  NotSetUp: "run `npx shakedrop setup`, or `npx shakedrop setup --gpu` for an NVIDIA GPU",
  Damaged: "run `npx shakedrop setup` to repair it",
  OwnMissing:
    "set it to a library of the right version or the folder that holds it, or unset it and run `npx shakedrop setup`",
  CannotLoad: "run `npx shakedrop setup`, which repairs what is damaged, and `npx shakedrop doctor`",
  WrongVersion: "run `npx shakedrop setup`, without SHAKEDROP_LIBTENSORFLOW",
  NoBuild: "to use a library of your own, set SHAKEDROP_LIBTENSORFLOW to its path",
  NoDeviceList: "run `npx shakedrop doctor`",
  Full: `free some space, or set XDG_CACHE_HOME to a folder on a larger disk, and ${SETUP_AGAIN}`,
  NotWritable: `set XDG_CACHE_HOME to a folder that you can write, and ${SETUP_AGAIN}`,
  NoPython: `install Python 3 with pip, which is needed for this download only, and ${SETUP_AGAIN}`,
  PythonFails: KEPT,
  NoPip: `install it (\`python3 -m ensurepip --user\`, or your system's package python3-pip), and ${SETUP_AGAIN}`,
  OtherFile: `correct the mirror that pip uses (\`python3 -m pip config list\`), and ${SETUP_AGAIN}`,
  Certificate: `give pip the right one (\`python3 -m pip config set global.cert FILE\`), and ${KEPT}`,
  Network: `check the network, and the proxy and index that pip uses (\`python3 -m pip config list\`), and ${KEPT}`,
  NoWheel: `if \`python3 -m pip --version\` is below 20.3, upgrade it (\`python3 -m pip install --upgrade pip\`), else use a package index that is complete (\`python3 -m pip config list\` shows which is used), and ${SETUP_AGAIN}`,
  PipFails: KEPT,
  Storage: SETUP_AGAIN
}

const aboutDevice = ({ reason }: DeviceUnavailable): string =>
  reason === "Precision"
    ? "use --set train.precision=float32"
    : "run `npx shakedrop setup --gpu` for the CUDA libraries and `npx shakedrop doctor` to see what is missing, or use --device cpu"

const OUT_OF_MEMORY =
  "take a batch in parts (--set train.gradientAccumulationSteps=2), recompute blocks (--set train.gradientCheckpointing=true), or lower the batch size (--set train.batchSize=…) or the model's size"

const adviceOn = (error: unknown): string | undefined => {
  if (error instanceof RunError) return aboutRun(error)
  if (error instanceof DataError) return aboutData(error)
  if (error instanceof LibraryError) return aboutLibrary[error.reason]
  if (error instanceof DeviceUnavailable) return aboutDevice(error)
  if (Predicate.isTagged(error, "OutOfMemory")) return OUT_OF_MEMORY
  return error instanceof ConfigError ? aboutConfig(error) : undefined
}

/** An error in one line without control characters, with what to do about it. */
export const explain = (error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error)
  const advice = adviceOn(error)
  const joint = message.endsWith("?") ? " " : ": "
  return oneLine(advice === undefined ? message : message + joint + advice)
}
