/** What to do about an error, for a person at a terminal: the only place that speaks of flags and commands. */
import { basename, dirname } from "node:path"
import * as Predicate from "effect/Predicate"
import { ConfigError } from "../../Config/Errors.ts"
import { DataError } from "../../Data/Types.ts"
import { ClusterError, DeviceUnavailable, LibraryError, type LibraryReason } from "../../Device/Errors.ts"
import { ReplicaError } from "../../Distributed/Errors.ts"
import { ExportError } from "../../Export/Errors.ts"
import { oneLine } from "../../Platform/Text.ts"
import { RunError } from "../../Train/Run/RunError.ts"
import { WatchError } from "../../Watch/Errors.ts"

/** What can be done, the best first. What names a flag that the running command does not take is passed over. */
type Advice = string | ReadonlyArray<string> | undefined

const aboutRun = ({ reason }: RunError): Advice => {
  switch (reason) {
    case "AlreadyThere":
      return ["continue it with --resume, or choose another --out", "choose another --out"]
    case "Changed":
      return [
        "continue it without these changes, or start a new run with another --out",
        "make a new run of it"
      ]
    case "InUse":
      return "wait until that process ends, or end it"
    case "DamagedBest":
      return [
        "choose another checkpoint on purpose with --checkpoint latest",
        'choose another on purpose in the file: "checkpoint": "latest"'
      ]
    case "DamagedCheckpoint":
      return [
        "put a good copy of the file back, or start a new run with another --out",
        "put a good copy of the file back"
      ]
    case "OtherData":
      return ["say where its own data are with --data-dir", "correct data.directory in the file"]
    case "DataGone":
      return ["say where they are now with --data-dir", "correct data.directory in the file"]
    case "NoWeights":
      // Where there is no split to choose, --weights is a file.
      return "choose others with --weights, for any --split"
    case "MissingPlugin":
      return "load it with --plugin"
    case "NoInitialWeights":
      return [
        "say where they are with --set train.initialWeights=FILE",
        "say where they are in train.initialWeights of the member's experiment"
      ]
    case "TooLarge":
      return ["make the network smaller (--set model.…)", "make the network smaller"]
    case "NotAFolder":
      return "choose another --out"
    default:
      return undefined
  }
}

const aboutConfig = ({ reason }: ConfigError): Advice => {
  switch (reason) {
    case "NotAnAssignment":
      return "that is what --set takes"
    case "UnusedFolder":
      return "say what is in the folder, with --dataset folder for images of your own, --dataset cifar10 or --dataset cifar100"
    case "NoRecipe":
      return "`shakedrop recipes` says what each is"
    default:
      return undefined
  }
}

/** The archives as published are read: nobody has to know of other forms. */
const aboutData = ({ dataset, path, reason }: DataError): Advice => {
  switch (reason) {
    case "NotThere":
      return `fetch it with \`shakedrop data download ${dataset} --data-dir ${path}\``
    case "Ambiguous":
      return ["name one of them with --data-dir", "name one of them as data.directory in the file"]
    case "UnreadableImage":
      return [
        "repair or remove it, or leave such images out with --skip-unreadable",
        "repair or remove it, or leave such images out with --set data.skipUnreadable=true",
        "repair or remove it, or leave such images out with data.skipUnreadable in the file"
      ]
    case "TooLarge":
      return ["make them smaller with --size", "make them smaller with --set data.size=…"]
    case "Damaged":
      return "unpack or download the archive again"
    case "Unreachable":
      return `run the command again to go on with what has arrived, name another server with --mirror, set HTTPS_PROXY where there is a proxy, or fetch ${basename(path ?? "")} in another way and put it into ${dirname(path ?? "")}`
    case "Untrusted":
      return "if a proxy stands between, name a file with its authority's certificate in NODE_EXTRA_CA_CERTS"
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

const aboutDevice = ({ reason }: DeviceUnavailable): Advice =>
  reason === "Precision"
    ? ["use --set train.precision=float32", 'set "precision": "float32" in the training']
    : "run `npx shakedrop setup --gpu` for the CUDA libraries and `npx shakedrop doctor` to see what is missing, or use --device cpu"

const aboutExport = ({ reason }: ExportError): Advice =>
  reason === "NoRuntime" ? "install it beside shakedrop with npm, for --check" : undefined

const aboutWatching = ({ reason }: WatchError): Advice =>
  reason === "NoFolder"
    ? "`shakedrop train` makes runs, in runs/ unless told otherwise"
    : ["choose another one with --port", "choose another one"]

const OUT_OF_MEMORY: Advice = [
  "take a batch in parts (--set train.gradientAccumulationSteps=2), recompute blocks (--set train.gradientCheckpointing=true), or lower the batch size (--set train.batchSize=…) or the model's size",
  "free some memory, or take a machine or a device with more of it"
]

const aboutReplica = ({ reason }: ReplicaError): Advice => {
  switch (reason) {
    case "Contradiction":
      return "say it with --rank, --world-size and --coordinator, or unset what is wrong in the environment"
    case "Missing":
      return "start all of them within --join-timeout, where they can reach each other"
    case "Differs":
      return "start all of them with the same command and the same data"
    case "Lost":
    case "Ended":
      return "the same command with --resume goes on from the last checkpoint"
    default:
      return undefined
  }
}

const adviceOn = (error: unknown): Advice => {
  if (error instanceof RunError) return aboutRun(error)
  if (error instanceof DataError) return aboutData(error)
  if (error instanceof LibraryError) return aboutLibrary[error.reason]
  if (error instanceof DeviceUnavailable) return aboutDevice(error)
  if (error instanceof WatchError) return aboutWatching(error)
  if (Predicate.isTagged(error, "OutOfMemory")) return OUT_OF_MEMORY
  if (error instanceof ExportError) return aboutExport(error)
  if (error instanceof ReplicaError) return aboutReplica(error)
  if (error instanceof ClusterError && error.reason === "Unconfined") {
    return "on a network that nobody else is on, --open-port starts it all the same"
  }
  return error instanceof ConfigError ? aboutConfig(error) : undefined
}

/** The flags that a text speaks of, apart from those of whole commands, which stand in backticks. */
const flagsIn = (text: string): ReadonlyArray<string> =>
  [...text.replace(/`[^`]*`/g, "").matchAll(/--([a-z-]+)/g)].map(([, name]) => name)

/**
 * An error in one line without control characters, with what to do about it. `has` tells whether the running command
 * takes a flag.
 */
export const explain = (error: unknown, has: (flag: string) => boolean = () => true): string => {
  const message = error instanceof Error ? error.message : String(error)
  const advice = [adviceOn(error) ?? []].flat().find((text) => flagsIn(text).every(has))
  const joint = message.endsWith("?") ? " " : ": "
  return oneLine(advice === undefined ? message : message + joint + advice)
}
