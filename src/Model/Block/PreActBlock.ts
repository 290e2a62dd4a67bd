/**
 * The basic block of pre-activation residual networks: He, Zhang, Ren, Sun, "Identity Mappings in Deep Residual
 * Networks", ECCV 2016 (arXiv:1603.05027), fig. 4e.
 */
import { relu } from "../../Ops/Activation.ts"
import { batchNorm } from "../Layer/BatchNorm.ts"
import { conv } from "../Layer/Convolution.ts"
import { dropout } from "../Layer/Dropout.ts"
import { type Layer, stateless } from "../Layer/Layer.ts"
import { sequential } from "../Lowering/Sequential.ts"
import { type ResidualOptions, residual } from "./Residual.ts"

export interface PreActBlockOptions extends Omit<ResidualOptions, "activation" | "branch"> {
  /** Share of the values between the two convolutions that training drops. */
  readonly dropRate?: number | undefined
}

/** BN, ReLU, 3×3, BN, ReLU, 3×3. A shortcut that is a layer is given the first ReLU's output. */
export const preActBlock = (name: string, options: PreActBlockOptions): Layer => {
  const { dropRate, in: inputs, out, place } = options
  const { size, stride } = place
  return residual(name, {
    ...options,
    activation: sequential([batchNorm(`${name}.bn1`, inputs), stateless(relu)]),
    branch: sequential([
      conv(`${name}.conv1`, { in: inputs, out, kernel: 3, stride, size }),
      batchNorm(`${name}.bn2`, out),
      stateless(relu),
      ...(dropRate ? [dropout(name, dropRate)] : []),
      conv(`${name}.conv2`, { in: out, out, kernel: 3, size })
    ])
  })
}
