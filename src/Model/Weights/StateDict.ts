/**
 * State dicts: the weights of a file for a network, in PyTorch's names and layouts, checked name by name; and published
 * weights for other images and classes.
 */
import * as Schema from "effect/Schema"
import { someOf } from "../../Platform/Text.ts"
import {
  describeTensor,
  type HostTensor,
  nonFinite,
  sameShape,
  type TensorRecord
} from "../../Tensor/HostTensor.ts"
import type { TensorSpec } from "../Layer/Layer.ts"
import type { Network } from "../Network.ts"
import { resamplePositions } from "./Positions.ts"
import { fromPyTorch, shapeInPyTorch } from "./PyTorchLayout.ts"

/** Weights do not belong to the network; `message` names the tensors. */
export class WeightsError extends Schema.TaggedError<WeightsError>()("WeightsError", {
  reason: Schema.Literals([
    /** Tensors are missing, unknown or of another shape. */
    "DoesNotFit",
    /** Tensors hold a NaN or an infinity. */
    "NotFinite"
  ]),
  message: Schema.String
}) {}

const PREFIX = "weights."

/** Names in which a checkpoint keeps what belongs to a tensor: `momentum/NAME`, `ema/NAME`. */
const isTrainingState = (name: string): boolean => name.includes("/")

/** Counts that PyTorch keeps with its running statistics and with averages of weights; nothing here needs them. */
const isCount = (name: string): boolean => name.endsWith(".num_batches_tracked") || name === "n_averaged"

/** What programs put before every name: wrappers for several devices, compilers, trainers, and whole checkpoints. */
const WRAPPERS = ["module.", "_orig_mod.", "model.", "net.", "state_dict.", "ema_model.", "ema."]

/** What stands before every one of the names, and before none of the network's own: `module.`, `model.module.`. */
const wrapperOf = ({ tensors }: Network, names: ReadonlyArray<string>): string => {
  const wrappers = WRAPPERS.filter((wrapper) => !tensors.some(({ name }) => name.startsWith(wrapper)))
  let prefix = ""
  for (;;) {
    const startsAll = (wrapper: string) => names.every((name) => name.startsWith(prefix + wrapper))
    const next = names.length > 0 ? wrappers.find(startsAll) : undefined
    if (next === undefined) return prefix
    prefix += next
  }
}

interface Chosen {
  /** What was taken off every name. */
  readonly prefix: string
  readonly weights: TensorRecord
}

/** The weights among a file's tensors: those under `weights.` where there are any, else all. */
const weightsIn = (network: Network, file: TensorRecord): Chosen => {
  const names = Object.keys(file).filter((name) => !isCount(name))
  const state = names.some((name) => name.startsWith(PREFIX))
  const chosen = names.filter((name) => (state ? name.startsWith(PREFIX) : !isTrainingState(name)))
  const prefix = state ? PREFIX : wrapperOf(network, chosen)
  const weights = Object.fromEntries(chosen.map((name) => [name.slice(prefix.length), file[name]]))
  return { prefix, weights }
}

/** What is taken off every name of a file's weights because other programs put it there; mostly nothing. */
export const wrapperIn = (network: Network, file: TensorRecord): string => {
  const { prefix } = weightsIn(network, file)
  return prefix === PREFIX ? "" : prefix
}

/**
 * Throws unless `weights`, in PyTorch's layouts, has all of `specs`, in their shapes, finite, and nothing but tensors of
 * the network.
 */
const check = (network: Network, specs: ReadonlyArray<TensorSpec>, weights: TensorRecord): void => {
  const known = new Set(network.tensors.map(({ name }) => name))
  const problems: Array<string> = []
  const missing = specs.filter(({ name }) => weights[name] === undefined).map(({ name }) => name)
  if (missing.length > 0) problems.push(`${someOf(missing)} missing`)
  const unknown = Object.keys(weights).filter((name) => !known.has(name))
  if (unknown.length > 0) problems.push(`${someOf(unknown)} unknown to it`)
  const wrong = specs.flatMap((spec) => {
    const { name } = spec
    const shape = shapeInPyTorch(spec)
    const value: HostTensor | undefined = weights[name]
    if (value === undefined || (value.dtype === "float32" && sameShape(value.shape, shape))) return []
    return [
      `${name} is ${describeTensor(value.dtype, value.shape)} instead of ${describeTensor("float32", shape)}`
    ]
  })
  if (wrong.length > 0) problems.push(someOf(wrong))
  if (problems.length > 0) {
    const message = `the weights are not those of ${network.name}: ${problems.join("; ")}`
    throw new WeightsError({ reason: "DoesNotFit", message })
  }
  const broken = nonFinite(weights)
  if (broken.length > 0) {
    const message = `the weights hold a NaN or an infinity, in ${someOf(broken)}`
    throw new WeightsError({ reason: "NotFinite", message })
  }
}

/**
 * A network's tensors out of a file's, in device layouts. Names are PyTorch's; they may all stand under `weights.`,
 * and what else the file holds is then left alone, or under what other programs put before them.
 *
 * @throws WeightsError naming what is missing, unknown, of another shape or not finite
 */
export const weightsFor = (network: Network, file: TensorRecord): TensorRecord => {
  const { weights } = weightsIn(network, file)
  check(network, network.tensors, weights)
  return fromPyTorch(network, weights)
}

/** The classifier: the last linear layer. */
const classifierOf = ({ tensors }: Network): ReadonlyArray<TensorSpec> => {
  const last = tensors.findLast(({ kind }) => kind === "linear")
  if (last === undefined) return []
  const layer = last.name.slice(0, last.name.lastIndexOf("."))
  return tensors.filter(({ name }) => name.startsWith(`${layer}.`))
}

/** A square number of patches and the class's token. */
const isSquareGrid = ({ shape }: HostTensor): boolean =>
  shape.length === 3 && shape[1] > 1 && Number.isInteger(Math.sqrt(shape[1] - 1))

/** Positions of a square grid for a network of another one. */
const withPositions = (network: Network, weights: TensorRecord): TensorRecord => {
  const wanted = network.tensors.find(({ name }) => name === "pos_embed")
  const grid = network.patches
  const given = weights.pos_embed
  if (!wanted || !grid || given?.dtype !== "float32" || sameShape(given.shape, wanted.shape)) return weights
  if (!isSquareGrid(given)) return weights
  return { ...weights, pos_embed: resamplePositions(given as HostTensor<"float32">, grid) }
}

/**
 * Published weights to start from: the classifier is left out where it has other classes, and a vision transformer's
 * positions are resampled to the network's patches. Lay the result over `network.init`.
 *
 * @throws WeightsError naming what is missing, unknown, of another shape or not finite
 */
export const pretrainedFor = (network: Network, file: TensorRecord): TensorRecord => {
  const weights = withPositions(network, weightsIn(network, file).weights)
  const classifier = classifierOf(network)
  const fits = classifier.every(
    (spec) => weights[spec.name] === undefined || sameShape(weights[spec.name].shape, shapeInPyTorch(spec))
  )
  const left = fits ? [] : classifier.map(({ name }) => name)
  check(
    network,
    network.tensors.filter(({ name }) => !left.includes(name)),
    weights
  )
  const taken = Object.entries(weights).filter(([name]) => !left.includes(name))
  return fromPyTorch(network, Object.fromEntries(taken))
}
