/** `shakedrop doctor`: what works on this machine, how fast it is, and what to do about the rest. */
import * as Console from "effect/Console"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Machine } from "../Device/Setup/Machine.ts"
import { diskSpeed } from "./Doctor/DiskSpeed.ts"
import { lost, memoryOf, share, slowCpu, slowDisk } from "./Doctor/Slow.ts"

const line = (name: string, value: string) => Console.log(`${name.padEnd(14)}${value}`)

const advice = (text: string) => Console.log(`  → ${text}`)

/** Checks that need no library. */
const host = Effect.gen(function* () {
  const { thisMachine } = yield* Effect.promise(() => import("../Device/Setup/Machine.ts"))
  const { isUntried, thisPlatform } = yield* Effect.promise(() => import("../Device/Setup/Platform.ts"))
  const machine = thisMachine()
  yield* line("Node", `${process.version} (${process.platform} ${process.arch})`)
  if (isUntried(thisPlatform()))
    yield* advice("this platform is untried: please tell what works and what does not")
  yield* line("CPU", `${machine.model}, ${machine.cores} cores`)
  yield* line("  has", machine.features.join(" ") || "no vector instructions that are known here")
  for (const slow of slowCpu(machine)) yield* advice(slow)
  const memory = memoryOf(machine)
  yield* line("memory", memory.line)
  if (memory.advice !== undefined) yield* advice(memory.advice)
  const disk = yield* Effect.option(diskSpeed("."))
  if (Option.isSome(disk)) {
    yield* line("disk", `${disk.value.toFixed(0)} MB/s written to this folder`)
    const slow = slowDisk(disk.value)
    if (slow !== undefined) yield* advice(slow)
  }
  return machine
})

const tensorflow = Effect.gen(function* () {
  const { foundLibrary } = yield* Effect.promise(() => import("../Device.ts"))
  const { file, version } = yield* foundLibrary
  yield* line("libtensorflow", `${version}, ${file}`)
  const { hasOneDnn, thisPlatform } = yield* Effect.promise(() => import("../Device/Setup/Platform.ts"))
  const known = hasOneDnn(thisPlatform())
  const off = known && process.env.TF_ENABLE_ONEDNN_OPTS === "0"
  yield* line(
    "oneDNN",
    !known ? "not in this platform's build" : off ? "off (TF_ENABLE_ONEDNN_OPTS=0)" : "on"
  )
  if (off) yield* advice("unset TF_ENABLE_ONEDNN_OPTS: a step takes a quarter longer without oneDNN")
  return file
})

/** What to do where TensorFlow sees no GPU, from which of its libraries fail to load. */
const gpuAdvice = (failed: ReadonlyArray<string>, card: boolean, gpuBuild: boolean): string => {
  if (!card) return "no NVIDIA driver is loaded on this machine: training runs on the CPU"
  if (failed.includes("libcuda.so.1")) {
    return "install or repair the NVIDIA driver (version 525 or newer); a container must be started with its GPUs"
  }
  if (failed.length > 0) {
    return gpuBuild
      ? "run `npx shakedrop setup --gpu` again, which repairs what is damaged"
      : "run `npx shakedrop setup --gpu` for TensorFlow's GPU build with its CUDA libraries"
  }
  return process.env.CUDA_VISIBLE_DEVICES === undefined
    ? "every library loads, but TensorFlow refuses the GPU: it may be too old, or in use by another program alone"
    : `CUDA_VISIBLE_DEVICES is "${process.env.CUDA_VISIBLE_DEVICES}": unset it if it hides the GPU`
}

const gpus = Effect.fnUntraced(function* (file: string) {
  const { listDevices } = yield* Effect.promise(() => import("../Device.ts"))
  const { failedLibraries, gpuFolder, hasNvidiaCard } = yield* Effect.promise(
    () => import("../Device/Setup/Diagnosis.ts")
  )
  const devices = yield* Effect.orElseSucceed(listDevices, () => [])
  const seen = devices.filter(({ type }) => type === "GPU")
  for (const { memoryBytes, name } of seen) {
    yield* line("GPU", `${name}, ${(memoryBytes / 2 ** 30).toFixed(1)} GiB for TensorFlow`)
  }
  if (seen.length > 0) return
  yield* line("GPU", "none that TensorFlow sees")
  const card = hasNvidiaCard()
  const gpuBuild = gpuFolder(file) !== undefined
  const failed = card || gpuBuild ? failedLibraries(file) : []
  for (const { name, reason } of failed) yield* line("  not loaded", `${name}: ${reason}`)
  yield* advice(
    gpuAdvice(
      failed.map(({ name }) => name),
      card,
      gpuBuild
    )
  )
})

const speed = Effect.fnUntraced(function* (machine: Machine) {
  const { Device } = yield* Effect.promise(() => import("../Device.ts"))
  const { timeConvolution, timeTrainingStep } = yield* Effect.promise(
    () => import("../Train/Probe/Benchmark.ts")
  )
  const { name } = yield* Device
  const convolution = yield* timeConvolution
  yield* line(
    "3×3 conv",
    `${convolution.milliseconds.toFixed(1)} ms on ${name}, ${convolution.gigaflops.toFixed(0)} GFLOP/s (64 images of 32×32, 64 → 64 channels)`
  )
  const compared = name === "cpu" ? share(machine, convolution.gigaflops) : undefined
  if (compared !== undefined) yield* line("", compared)
  const less = name === "cpu" ? lost(machine, convolution.gigaflops) : undefined
  if (less !== undefined) yield* advice(less)
  const step = yield* timeTrainingStep
  yield* line(
    "training step",
    `${step.milliseconds.toFixed(1)} ms on ${name}, ${step.imagesPerSecond.toFixed(0)} images/s (${step.model}, 64 images)`
  )
})

export const doctorCommand = Command.make(
  "doctor",
  {},
  Effect.fn("doctor")(function* () {
    const machine = yield* host
    yield* gpus(yield* tensorflow)
    const { Device } = yield* Effect.promise(() => import("../Device.ts"))
    yield* Effect.scoped(speed(machine)).pipe(Effect.provide(Device.layer("auto")))
  })
).pipe(
  Command.withDescription("Show what works on this machine, how fast it is, and what to do about the rest"),
  Command.withExamples([{ command: "shakedrop doctor", description: "Takes a few seconds" }])
)
