/** What of this machine's processors and memory a process may use, and what others take of it. */
import { existsSync, readFileSync } from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { type Cpu, cpu } from "./Diagnosis.ts"

export interface Machine extends Cpu {
  readonly arch: string
  /** Threads that share a core, as far as the system tells. */
  readonly threadsPerCore: number
  /** The clock in GHz; undefined where the system does not tell. */
  readonly gigahertz: number | undefined
  /** Threads that wanted to run, on average over the last minute. */
  readonly load: number
  /** CPUs that a container's or a job's limit allows; undefined where there is none. */
  readonly cpuLimit: number | undefined
  /** Bytes of memory, or of a container's or a job's limit, and what is free of them. */
  readonly memory: number
  readonly memoryLimited: boolean
  readonly freeMemory: number
}

/** CPUs by a cgroup's `cpu.max` (`QUOTA PERIOD`, in microseconds); undefined where there is no limit. */
export const cpusOf = (text: string): number | undefined => {
  const [quota, period] = text.trim().split(/\s+/).map(Number)
  return quota > 0 && period > 0 ? quota / period : undefined
}

/** The folders of a process's cgroup and of those around it, by `/proc/self/cgroup`. */
export const groupsOf = (text: string): ReadonlyArray<string> => {
  const own = /^0::(.*)$/m.exec(text)?.[1] ?? "/"
  const names = own.split("/").filter((name) => name !== "" && name !== "..")
  return names.map((_, i) => path.join("/sys/fs/cgroup", ...names.slice(0, i + 1))).concat("/sys/fs/cgroup")
}

/** How many threads share a core, by `/proc/cpuinfo`. */
export const threadsPerCore = (info: string): number => {
  const of = (name: string) => Number(new RegExp(`^${name}\\s*:\\s*(\\d+)$`, "m").exec(info)?.[1])
  return Math.max(1, of("siblings") / of("cpu cores") || 1)
}

const textOf = (file: string): string => {
  try {
    return existsSync(file) ? readFileSync(file, "utf8") : ""
  } catch {
    return ""
  }
}

/** The smallest limit of a process's own cgroup and of those around it; the older kind has one in two files. */
const cpuLimit = (): number | undefined => {
  const old = ["quota", "period"].map((name) => textOf(`/sys/fs/cgroup/cpu/cpu.cfs_${name}_us`).trim())
  const groups = groupsOf(textOf("/proc/self/cgroup"))
  const texts = [old.join(" "), ...groups.map((folder) => textOf(path.join(folder, "cpu.max")))]
  const limits = texts.map(cpusOf).filter((limit) => limit !== undefined)
  return limits.length === 0 ? undefined : Math.min(...limits)
}

export const thisMachine = (): Machine => {
  const info = textOf("/proc/cpuinfo")
  const megahertz = Number(/^cpu MHz\s*:\s*([\d.]+)$/m.exec(info)?.[1]) || os.cpus()[0]?.speed || 0
  const total = os.totalmem()
  const limit = process.constrainedMemory?.() ?? 0
  const limited = limit > 0 && limit < total
  return {
    ...cpu(),
    arch: os.arch(),
    threadsPerCore: threadsPerCore(info),
    gigahertz: megahertz > 0 ? megahertz / 1000 : undefined,
    load: os.loadavg()[0],
    cpuLimit: cpuLimit(),
    memory: limited ? limit : total,
    memoryLimited: limited,
    freeMemory: process.availableMemory?.() ?? os.freemem()
  }
}
