import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { diskSpeed } from "../../src/Cli/Doctor/DiskSpeed.ts"
import { lost, memoryOf, peak, share, slowCpu, slowDisk } from "../../src/Cli/Doctor/Slow.ts"
import { featuresOf } from "../../src/Device/Setup/Diagnosis.ts"
import { cpusOf, groupsOf, type Machine, threadsPerCore } from "../../src/Device/Setup/Machine.ts"

const fast: Machine = {
  ...{ model: "a CPU", cores: 16, arch: "x64", threadsPerCore: 2, gigahertz: 3, load: 0 },
  ...{ cpuLimit: undefined, memory: 64 * 2 ** 30, memoryLimited: false, freeMemory: 60 * 2 ** 30 },
  features: ["avx", "fma", "avx2", "avx512f", "avx512_bf16"]
}

it("what makes a machine slow is told, and nothing where it is fast", () => {
  assert.deepStrictEqual(slowCpu(fast), [])
  const told = (machine: Partial<Machine>) => slowCpu({ ...fast, ...machine }).join("\n")
  assert.match(told({ features: ["avx"] }), /^without AVX2/)
  assert.match(told({ features: ["avx", "fma", "avx2"] }), /^AVX2 alone.*\nno AVX512_BF16 or AMX/)
  assert.match(told({ cpuLimit: 6.5 }), /^a limit allows 6\.5 of the 16 CPUs[^\n]*$/)
  assert.match(told({ cpuLimit: 1 }), /few CPUs/)
  assert.match(told({ cores: 2 }), /^few CPUs/)
  assert.match(told({ load: 12.34 }), /^other programs.*load 12\.3 on 16/)
  assert.strictEqual(told({ arch: "arm64", features: ["asimd"] }), "")
  assert.isUndefined(memoryOf(fast).advice)
  assert.deepInclude(memoryOf({ ...fast, memory: 2 ** 30, memoryLimited: true, freeMemory: 2 ** 29 }), {
    line: "1.0 GiB by a limit, 0.5 GiB free"
  })
  assert.match(slowDisk(12) ?? "", /^a slow disk/)
  assert.isUndefined(slowDisk(500))
})

it("GFLOP/s are told beside what the CPU can do", () => {
  assert.strictEqual(peak(fast), 8 * 3 * 64)
  assert.strictEqual(peak({ ...fast, cpuLimit: 2, features: ["avx2", "fma"] }), 3 * 32)
  assert.strictEqual(peak({ ...fast, gigahertz: undefined }), undefined)
  assert.match(share(fast, 768) ?? "", /^50 % of the 1536 GFLOP\/s that 16 CPUs/)
  assert.isUndefined(lost(fast, 768))
  assert.match(lost(fast, 100) ?? "", /^that is little/)
})

it("limits, threads and instruction sets are read as the system writes them", () => {
  assert.strictEqual(cpusOf("150000 100000\n"), 1.5)
  for (const none of ["max 100000", "-1 100000", "", " "]) assert.isUndefined(cpusOf(none))
  assert.deepStrictEqual(groupsOf("1:cpu:/old\n0::/a/b\n"), [
    "/sys/fs/cgroup/a",
    "/sys/fs/cgroup/a/b",
    "/sys/fs/cgroup"
  ])
  for (const root of ["0::/\n", "", "0::/../.."]) assert.deepStrictEqual(groupsOf(root), ["/sys/fs/cgroup"])
  assert.strictEqual(threadsPerCore("siblings\t: 16\ncpu cores\t: 8\n"), 2)
  assert.strictEqual(threadsPerCore(""), 1)
  assert.deepStrictEqual(featuresOf("flags\t\t: fpu avx fma avx2 sse\n", "x64"), ["avx", "fma", "avx2"])
  assert.deepStrictEqual(featuresOf("", "arm64"), ["asimd"])
})

it.live("the disk's speed is measured without leaving anything behind", () =>
  Effect.gen(function* () {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "shakedrop-doctor-"))
    assert.isAbove(yield* diskSpeed(folder), 0)
    assert.deepStrictEqual(fs.readdirSync(folder), [])
    fs.rmSync(folder, { recursive: true })
    const error = yield* Effect.flip(diskSpeed("/proc/nowhere"))
    assert.strictEqual(error._tag, "StorageError")
  })
)
