/** Convolutions as layers. */
import * as tf from "@tensorflow/tfjs-core"
import { aligned, padTo } from "../../Ops/Alignment.ts"
import { conv2d } from "../../Ops/Convolution.ts"
import { type Initial, type Layer, normal, type Size } from "./Layer.ts"

export interface ConvOptions {
  readonly in: number
  readonly out: number
  /** Height and width of the kernel. */
  readonly kernel: number
  readonly stride?: number
  /** Zeros on each side of the input; half the kernel unless given. */
  readonly padding?: number
  /** Height and width of the layer's output. */
  readonly size: Size
  /** Start of the kernel; normal with variance 2 / fan-out unless given. */
  readonly initial?: Initial
  /** Start of the bias; without it there is none. */
  readonly bias?: Initial
  /** Whether the kernel is trained. */
  readonly trained?: boolean
}

/**
 * Convolution. Kernels start normal with variance 2 / fan-out (He et al. 2015, "Delving Deep into Rectifiers",
 * eq. 14).
 */
export const conv = (name: string, options: ConvOptions): Layer => {
  const { bias, in: inputs, kernel, out, size, stride = 1, trained = true } = options
  const { initial = normal(Math.sqrt(2 / (kernel * kernel * out))), padding = (kernel - 1) / 2 } = options
  const [weightName, biasName] = [`${name}.weight`, `${name}.bias`]
  const role = trained ? "parameter" : "constant"
  return {
    tensors: [
      { name: weightName, kind: "conv", shape: [kernel, kernel, inputs, out], role, initial },
      ...(bias
        ? [{ name: biasName, kind: "bias", shape: [out], role: "parameter", initial: bias } as const]
        : [])
    ],
    multiplyAdds: size.height * size.width * kernel * kernel * inputs * out,
    apply: ({ weights }, x) => {
      const padded = padTo(weights[weightName] as tf.Tensor4D, [kernel, kernel, x.shape[3], aligned(out)])
      const value = conv2d(x, padded, stride, padding)
      return bias ? tf.add(value, padTo(weights[biasName], [aligned(out)])) : value
    },
    ...(!bias && padding === (kernel - 1) / 2 && { form: { _tag: "Convolution", name, kernel, stride } })
  }
}

/** PyTorch's default start of a convolution's kernel and bias: uniform in ±1/√fan-in. */
export const fanInBound = (kernel: number, inputs: number): number => 1 / (kernel * Math.sqrt(inputs))

/** 1 where a kernel's centre passes channel i on as channel i, 0 elsewhere, and `rest` beyond the first channels. */
export const dirac =
  (kernel: number, inputs: number, out: number, rest: Initial): Initial =>
  (random, values) => {
    const beyond = Math.max(0, out - inputs)
    const drawn = new Float32Array(kernel * kernel * inputs * beyond)
    rest(random, drawn)
    for (let row = 0; row < kernel * kernel * inputs; row++) {
      values.set(drawn.subarray(row * beyond, (row + 1) * beyond), row * out + out - beyond)
    }
    const centre = ((kernel * kernel - 1) / 2) * inputs
    for (let i = 0; i < Math.min(inputs, out); i++) values[(centre + i) * out + i] = 1
  }
