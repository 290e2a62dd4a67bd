/** What this machine has for running programs, and what keeps a GPU from being seen. */
import { existsSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import * as os from "node:os"

/** Instruction sets that oneDNN chooses its kernels by, best last. */
const FEATURES = ["avx", "fma", "avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "asimd", "bf16"]

export interface Cpu {
  readonly model: string
  readonly cores: number
  /** Those of the instruction sets that matter here which the CPU has. */
  readonly features: ReadonlyArray<string>
}

export const cpu = (): Cpu => {
  const info = existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : ""
  const flags = new Set(/^(?:flags|Features)\s*:\s*(.*)$/m.exec(info)?.[1].split(" "))
  return {
    model: os.cpus()[0]?.model.trim() || os.arch(),
    cores: os.availableParallelism(),
    features: FEATURES.filter((name) => flags.has(name))
  }
}

/** The driver, and the CUDA 12 libraries that TensorFlow 2.21 opens when it looks for a GPU. */
const GPU_LIBRARIES = [
  "libcuda.so.1",
  "libcudart.so.12",
  "libcublas.so.12",
  "libcublasLt.so.12",
  "libcufft.so.11",
  "libcusolver.so.11",
  "libcusparse.so.12",
  "libcudnn.so.9"
]

export interface FailedLibrary {
  readonly name: string
  /** The dynamic loader's reason. */
  readonly reason: string
}

/** The GPU libraries that cannot be loaded. Ask after libtensorflow is loaded, which brings its own along. */
export const failedLibraries = (): ReadonlyArray<FailedLibrary> => {
  const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi")
  return GPU_LIBRARIES.flatMap((name) => {
    try {
      koffi.load(name)
      return []
    } catch (cause) {
      return [{ name, reason: String((cause as Error).message).split("\n")[0] }]
    }
  })
}

/** Whether an NVIDIA card is plugged in, as far as the kernel driver shows one. */
export const hasNvidiaCard = (): boolean =>
  existsSync("/proc/driver/nvidia/version") || existsSync("/dev/nvidia0")
