/** What makes a machine slow, in words, from what it has. */
import type { Machine } from "../../Device/Setup/Machine.ts"

/** float32 operations that a core does in a cycle: two vectors a cycle, each a product and a sum. */
const perCycle = (features: ReadonlyArray<string>): number => {
  if (features.includes("avx512f")) return 64
  if (features.includes("avx2") && features.includes("fma")) return 32
  if (features.includes("avx") || features.includes("asimd")) return 16
  return 8
}

/** The CPUs that a process may use at once. */
const usable = ({ cores, cpuLimit }: Machine): number => Math.min(cores, cpuLimit ?? cores)

/** The GFLOP/s that a machine's CPU can do at most, about; undefined where its clock is not told. */
export const peak = (machine: Machine): number | undefined => {
  const { features, gigahertz, threadsPerCore } = machine
  if (gigahertz === undefined) return undefined
  // A core's threads share its vector units.
  return Math.max(1, usable(machine) / threadsPerCore) * gigahertz * perCycle(features)
}

/** What measured GFLOP/s mean beside what the CPU can do. */
export const share = (machine: Machine, gigaflops: number): string | undefined => {
  const most = peak(machine)
  if (most === undefined) return undefined
  const percent = Math.round((100 * gigaflops) / most)
  return `${percent} % of the ${most.toFixed(0)} GFLOP/s that ${usable(machine)} CPUs like these do at ${machine.gigahertz?.toFixed(1)} GHz, about`
}

/** What is wrong where much less is measured than the CPU can do. */
export const lost = (machine: Machine, gigaflops: number): string | undefined => {
  const most = peak(machine)
  return most === undefined || gigaflops > most / 5
    ? undefined
    : "that is little: other programs, a limit of the container or of the machine around it, or heat take the rest"
}

/** Megabytes a second below which saving a checkpoint is felt. */
const SLOW_DISK = 50

export const slowDisk = (megabytesPerSecond: number): string | undefined =>
  megabytesPerSecond >= SLOW_DISK
    ? undefined
    : "a slow disk: saving takes long; keep runs on another one with --out, and set XDG_CACHE_HOME to a folder there"

const gibibytes = (bytes: number): string => (bytes / 2 ** 30).toFixed(1)

/** Bytes of free memory below which a training of one of the small recipes may not fit. */
const LITTLE_MEMORY = 2 * 2 ** 30

/** A line for each thing that makes the processors slow. */
export const slowCpu = (machine: Machine): ReadonlyArray<string> => {
  const { arch, cores, cpuLimit, features, load } = machine
  const has = (...names: ReadonlyArray<string>) => names.some((name) => features.includes(name))
  const lines: Array<string> = []
  if (arch === "x64" && !has("avx2")) {
    lines.push("without AVX2 training is several times slower; use a newer machine if there is one")
  } else if (arch === "x64" && !has("avx512f")) {
    lines.push("AVX2 alone: with AVX-512 a core multiplies up to twice as many numbers in a cycle")
  }
  if (arch === "x64" && !has("avx512_bf16", "amx_bf16")) {
    lines.push("no AVX512_BF16 or AMX: there is no training in bfloat16 here, which would be faster")
  }
  if (cpuLimit !== undefined && cpuLimit < cores) {
    lines.push(
      `a limit allows ${cpuLimit.toFixed(1)} of the ${cores} CPUs: ask for more of the container or job`
    )
  }
  if (usable(machine) <= 4) {
    lines.push("few CPUs: a step takes less time in proportion to how many there are, so take small recipes")
  }
  if (load > cores / 2) {
    lines.push(
      `other programs are at work (load ${load.toFixed(1)} on ${cores} CPUs): a training shares with them`
    )
  }
  return lines
}

/** What there is of memory, and advice where it is little. */
export const memoryOf = ({ freeMemory, memory, memoryLimited }: Machine) => ({
  line: `${gibibytes(memory)} GiB${memoryLimited ? " by a limit" : ""}, ${gibibytes(freeMemory)} GiB free`,
  advice:
    freeMemory < LITTLE_MEMORY
      ? "little memory: end other programs, or lower train.batchSize or the model's size"
      : undefined
})
