/**
 * What this machine computes at most, as far as libtensorflow can: GFLOP/s of a large matrix product, of 3×3
 * convolutions and of their gradients, and GB/s of a pass over a feature map, on values that stay on the device,
 * in a process of its own: `node bench/harness/peak.mjs QUICK`.
 */
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { Device, entryPoint } from "../../dist/Device.js"
import { relu } from "../../dist/Ops/Activation.js"
import { conv2d } from "../../dist/Ops/Convolution.js"
import { float32, sizeOf } from "../../dist/Tensor/HostTensor.js"
import { measureOnCpu } from "./network.mjs"
import { QUICK, THOROUGH } from "./rows.mjs"
import { median } from "./statistics.mjs"
import { timeSteps } from "./timing.mjs"

const quick = process.argv[2] === "true"

const SIDE = quick ? 64 : 2048
/**
 * Images, their side, and channels in and out: the shapes of the groups of wide networks, and one of PyramidNet, whose
 * channels are no multiple of what a register holds.
 */
const CONVOLUTIONS = quick
  ? [[2, 8, 8]]
  : [
      [64, 32, 64],
      [64, 16, 128],
      [64, 16, 256],
      [64, 8, 256],
      [64, 16, 53]
    ]

/** A feature map [N,H,W,C] of the first group of PyramidNet-110 α84, in which most of its bytes are. */
const MAP = quick ? [2, 8, 8, 16] : [64, 32, 32, 40]

const values = (shape) =>
  float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => (i % 7) - 3)
  )

const convolve = (images, kernel) => conv2d(images, kernel, 1, 1)

/** A convolution to as many channels as it is given, then its gradients with respect to images and to kernel. */
const passes = ([batch, side, channels]) => {
  const images = [batch, side, side, channels]
  const kernel = [3, 3, channels, channels]
  const title = `3×3 convolution of ${batch}×${side}×${side}×${channels}`
  const work = { unit: "GFLOP/s", amount: 2 * batch * side ** 2 * 9 * channels ** 2 }
  return [
    { name: title, ...work, shapes: { a: images, b: kernel, result: images }, run: convolve },
    {
      name: `gradient of the images of a ${title}`,
      ...work,
      shapes: { a: images, b: kernel, result: images },
      run: (dy, kernel) => tf.grad((x) => convolve(x, kernel))(dy, dy)
    },
    {
      name: `gradient of the kernel of a ${title}`,
      ...work,
      shapes: { a: images, b: images, result: kernel },
      run: (x, dy) => tf.grad((k) => convolve(x, k))(tf.zeros(kernel), dy)
    }
  ]
}

/** `run` makes `result` of `a` and `b`: so many floating-point operations, or so many bytes read and written. */
const workloads = [
  {
    name: `matrix product ${SIDE}³`,
    unit: "GFLOP/s",
    amount: 2 * SIDE ** 3,
    shapes: { a: [SIDE, SIDE], b: [SIDE, SIDE], result: [SIDE, SIDE] },
    run: (a, b) => tf.matMul(a, b)
  },
  ...CONVOLUTIONS.flatMap(passes),
  {
    name: `ReLU of ${MAP.join("×")}, read and written`,
    unit: "GB/s",
    amount: 2 * 4 * sizeOf(MAP),
    shapes: { a: MAP, result: MAP },
    run: relu
  }
]

/** The result goes into the state, so that nothing is copied out of the device. */
const speedOf = ({ amount, name, run, shapes, unit }) =>
  Effect.gen(function* () {
    const device = yield* Device
    const state = Object.fromEntries(Object.entries(shapes).map(([key, shape]) => [key, values(shape)]))
    const program = yield* device.compile(state, {
      work: entryPoint({ inputs: {}, run: ({ a, b }) => ({ state: { result: run(a, b) }, output: {} }) })
    })
    const asked = quick ? QUICK : { ...THOROUGH, seconds: 3 }
    const work = () => program.run("work", {})
    for (let i = 0; i < asked.warmup; i++) yield* work()
    const times = yield* timeSteps(work, asked)
    return { name, unit, speed: amount / median(times) / 1e9 }
  }).pipe(Effect.scoped)

await measureOnCpu(Effect.forEach(workloads, speedOf))
