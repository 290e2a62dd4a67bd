/** What this machine has for running programs, and what keeps a GPU from being seen. */
import { existsSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import * as os from "node:os"
import * as path from "node:path"

/** Instruction sets that oneDNN chooses its kernels by, best last. */
const FEATURES = ["avx", "fma", "avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "asimd", "bf16"]

export interface Cpu {
  readonly model: string
  readonly cores: number
  /** Those of the instruction sets that matter here which the CPU has. */
  readonly features: ReadonlyArray<string>
}

/** What a CPU has, by Linux's text about it; every 64-bit ARM computes with vectors, also where there is no text. */
export const featuresOf = (info: string, arch: string): ReadonlyArray<string> => {
  const flags = new Set(/^(?:flags|Features)\s*:\s*(.*)$/m.exec(info)?.[1].split(" "))
  if (arch === "arm64") flags.add("asimd")
  return FEATURES.filter((name) => flags.has(name))
}

export const cpu = (): Cpu => {
  const info = existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : ""
  return {
    model: os.cpus()[0]?.model.trim() || os.arch(),
    cores: os.availableParallelism(),
    features: featuresOf(info, os.arch())
  }
}

/** The driver, and the CUDA 12 libraries that TensorFlow 2.21 opens to use a GPU, each with its wheel's folder. */
const GPU_LIBRARIES: ReadonlyArray<readonly [name: string, folder: string]> = [
  ["libcuda.so.1", ""],
  ["libcudart.so.12", "cuda_runtime"],
  ["libcublas.so.12", "cublas"],
  ["libcublasLt.so.12", "cublas"],
  ["libcufft.so.11", "cufft"],
  ["libcusolver.so.11", "cusolver"],
  ["libcusparse.so.12", "cusparse"],
  ["libnccl.so.2", "nccl"],
  ["libcudnn.so.9", "cudnn"]
]

export interface FailedLibrary {
  readonly name: string
  /** The dynamic loader's reason. */
  readonly reason: string
}

/** The folder of NVIDIA's libraries that belong to a libtensorflow set up for a GPU, if it was. */
export const gpuFolder = (libtensorflow: string): string | undefined => {
  const folder = path.join(path.dirname(libtensorflow), "../nvidia")
  return existsSync(folder) ? folder : undefined
}

/** The GPU libraries that cannot be loaded, from where a libtensorflow looks for them. */
export const failedLibraries = (libtensorflow: string): ReadonlyArray<FailedLibrary> => {
  const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi")
  const own = gpuFolder(libtensorflow)
  return GPU_LIBRARIES.flatMap(([name, folder]) => {
    const inOwn = own === undefined ? "" : path.join(own, folder, "lib", name)
    try {
      koffi.load(existsSync(inOwn) ? inOwn : name)
      return []
    } catch (cause) {
      return [{ name, reason: reasonOf(cause, name) }]
    }
  })
}

/** What the dynamic loader says, without the words and the name that go before it. */
const reasonOf = (cause: unknown, name: string): string => {
  const [first] = String((cause as Error).message).split("\n")
  return first.replace(/^Failed to load shared library: /, "").replace(`${name}: `, "")
}

/** Stands for the host's card in Linux under Windows, which has no driver of its own. */
const WSL = "/dev/dxg"

/** Whether an NVIDIA card is plugged in, as far as the kernel driver shows one. */
export const hasNvidiaCard = (): boolean =>
  ["/proc/driver/nvidia/version", "/dev/nvidia0", WSL].some((file) => existsSync(file))
