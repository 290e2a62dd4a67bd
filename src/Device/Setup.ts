/**
 * Where libtensorflow is, and bringing it there. It is kept in the user's cache, in the layout of the wheels that
 * it comes from, once for the CPU and once with the CUDA libraries of a GPU.
 */
import { existsSync, statSync } from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { cacheDirectory } from "../Platform/Files.ts"
import { LibraryError } from "./Errors.ts"
import { hasNvidiaCard } from "./Setup/Diagnosis.ts"
import { install, isComplete } from "./Setup/Install.ts"
import { libraryName, thisPlatform } from "./Setup/Platform.ts"
import { VERSION, wheelsFor } from "./Setup/Wheels.ts"

export interface Library {
  /** Path of `libtensorflow_cc`, beside which its second library is. */
  readonly file: string
  /** Paths of libraries to load before it. */
  readonly preload: ReadonlyArray<string>
}

const FILE = libraryName(process.platform)

const directoryOf = (variant: "cpu" | "gpu"): string =>
  path.join(cacheDirectory(), `libtensorflow-${VERSION}-${variant}`)

const isDirectory = (file: string): boolean =>
  statSync(file, { throwIfNoEntry: false })?.isDirectory() === true

/**
 * Of the CUDA libraries, those that are not found where the wheels have them: TensorFlow looks for cuSOLVER, without
 * which it takes no GPU, and cuDNN for NVRTC. Without a card they would only take memory and time.
 */
const PRELOADED = ["cuda_nvrtc/lib/libnvrtc.so.12", "cusolver/lib/libcusolver.so.11"]

const libraryAt = (file: string): Library => {
  if (!hasNvidiaCard()) return { file, preload: [] }
  const files = PRELOADED.map((name) => path.join(path.dirname(file), "../nvidia", name))
  return { file, preload: files.filter((one) => existsSync(one)) }
}

/** The file that `SHAKEDROP_LIBTENSORFLOW` names, itself or by its folder. */
const ownLibrary = (given: string): Effect.Effect<Library, LibraryError> => {
  const file = path.resolve(isDirectory(given) ? path.join(given, FILE) : given)
  return existsSync(file)
    ? Effect.succeed(libraryAt(file))
    : Effect.fail(
        new LibraryError({
          reason: "OwnMissing",
          message: `SHAKEDROP_LIBTENSORFLOW is "${given}", but there is no ${file}`
        })
      )
}

/**
 * Finds libtensorflow: what `SHAKEDROP_LIBTENSORFLOW` names, else what was set up, for a GPU if there is one.
 *
 * @errors LibraryError: nothing is set up, or files of it are missing or cut off, which would kill the process
 */
export const locateLibrary: Effect.Effect<Library, LibraryError> = Effect.gen(function* () {
  const own = process.env.SHAKEDROP_LIBTENSORFLOW
  if (own) return yield* ownLibrary(own)
  const directory = (["gpu", "cpu"] as const).map(directoryOf).find((candidate) => existsSync(candidate))
  if (directory === undefined) {
    return yield* new LibraryError({
      reason: "NotSetUp",
      message: `libtensorflow is not set up (nothing in ${directoryOf("cpu")})`
    })
  }
  if (!(yield* isComplete(directory))) {
    return yield* new LibraryError({
      reason: "Damaged",
      message: `libtensorflow in ${directory} is damaged`
    })
  }
  return libraryAt(path.join(directory, "tensorflow", FILE))
})

export interface SetupOptions {
  /** Whether to bring the build for NVIDIA GPUs, with its CUDA libraries. */
  readonly gpu: boolean
}

/**
 * Brings libtensorflow into the cache, or repairs it, unless it is there. Without `gpu`, a build for GPUs that is
 * there already is enough: it serves the CPU as well.
 *
 * @errors LibraryError: there is no build for this platform, or it cannot be brought
 */
export const setup = Effect.fn("setup")(function* ({ gpu }: SetupOptions) {
  if (process.env.SHAKEDROP_LIBTENSORFLOW) return { ...(yield* locateLibrary), fresh: false }
  const withGpu = gpu || existsSync(directoryOf("gpu"))
  const wheels = yield* wheelsFor(thisPlatform(), withGpu)
  const fresh = yield* install(directoryOf(withGpu ? "gpu" : "cpu"), wheels)
  return { ...(yield* locateLibrary), fresh }
})
