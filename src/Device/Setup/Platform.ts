/** On which operating systems and processors there is a libtensorflow, and what is special there. */
import { LibraryError } from "../Errors.ts"

/** What decides which wheels a machine can use. */
export interface Platform {
  /** As `process.platform` and `process.arch`. */
  readonly os: string
  readonly arch: string
  /** As `2.36`; absent where the C library is another one. */
  readonly glibc?: string | undefined
}

export const thisPlatform = (): Platform => {
  const report = process.report?.getReport() as
    | { readonly header?: { readonly glibcVersionRuntime?: string } }
    | undefined
  return { os: process.platform, arch: process.arch, glibc: report?.header?.glibcVersionRuntime }
}

/** The oldest glibc that the wheels' libraries load with. */
const OLDEST_GLIBC = 27

const supported = `Linux with glibc 2.${OLDEST_GLIBC} or newer on x64 (CPU and GPU) or arm64 (CPU), and macOS 12 or newer on Apple silicon (CPU)`

/** The build of libtensorflow for a platform, if there is one. */
export const buildFor = (
  { os, arch, glibc }: Platform,
  gpu: boolean
): "x64" | "x64Gpu" | "arm64" | "macArm64" | undefined => {
  if (os === "darwin") return arch === "arm64" && !gpu ? "macArm64" : undefined
  const [major = 0, minor = 0] = (glibc ?? "").split(".").map(Number)
  const loads = os === "linux" && (major > 2 || (major === 2 && minor >= OLDEST_GLIBC))
  if (loads && arch === "x64") return gpu ? "x64Gpu" : "x64"
  return loads && arch === "arm64" && !gpu ? "arm64" : undefined
}

/** The nearest that works, where it is another than one would look for. */
const nearest = ({ os, arch, glibc }: Platform): string => {
  if (os === "win32") return "; under Windows it runs in WSL 2"
  if (os === "darwin" && arch === "x64")
    return "; TensorFlow is no longer built for Macs with Intel's processors"
  if (os === "linux" && glibc === undefined)
    return "; Alpine and others with musl need a container with glibc"
  return ""
}

export const noBuild = (platform: Platform, gpu: boolean): LibraryError => {
  const { os, arch, glibc } = platform
  const libc = os !== "linux" ? "" : glibc === undefined ? " without glibc" : ` with glibc ${glibc}`
  return new LibraryError({
    reason: "NoBuild",
    message: `there is no ready ${gpu ? "GPU build of " : ""}libtensorflow for ${os} ${arch}${libc}, only for ${supported}${nearest(platform)}`
  })
}

/** The file name of the first of libtensorflow's two libraries, which needs the second. */
export const libraryName = (os: string): string =>
  os === "darwin" ? "libtensorflow_cc.2.dylib" : "libtensorflow_cc.so.2"

/** Whether TensorFlow's build for a processor computes with oneDNN. */
export const hasOneDnn = ({ os }: Platform): boolean => os !== "darwin"

/** Whether the build was put together from what its wheel holds, but never run. */
export const isUntried = ({ os }: Platform): boolean => os === "darwin"
