/** What a run does on the device, as functions: the entry points that its configuration asks for are compiled. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Batch, BatchArrays } from "../../Augment.ts"
import type { WeightsName } from "../../Config.ts"
import type { Device, DeviceError, OpEvent } from "../../Device.ts"
import { Registry } from "../../Registry.ts"
import {
  float32,
  type HostTensor,
  int32,
  scalar,
  sizeOf,
  type TensorRecord,
  uint8
} from "../../Tensor/HostTensor.ts"
import type { Classify } from "../Evaluate/Logits.ts"
import { isAccumulated } from "./Accumulate.ts"
import { isTeachers } from "./Distillation.ts"
import { type CompileOptions, entriesOf, stateOf, stepOptions } from "./Entries.ts"
import { coefficientInputs, SEED } from "./EntryPoints.ts"
import { sumIn } from "./Exchange.ts"
/** What changes from step to step besides the batch. */
export interface StepInput {
  /** Steps done. */
  readonly step: number
  readonly learningRate: number
  /** Of the averages that are updated in every step, by their names. */
  readonly coefficients: Readonly<Record<string, number>>
  /** Of the images' sides; one that the configuration names, or 1. */
  readonly scale: number
  /** Whether this replica wants all of them to stop after the step. */
  readonly stop?: boolean
}

export interface StepOutput {
  /** Mean over the batch. */
  readonly loss: number
  /** Right predictions. */
  readonly correct: number
  readonly gradientNorm: number
  /** Whether a replica wants to stop; only where there are several. */
  readonly stop?: boolean
}

/** Of a training that several replicas share: what they tell each other besides gradients. */
interface Exchange {
  /** The sum of values over all replicas, each of which gives as many. */
  readonly sum: (values: Float32Array) => Effect.Effect<Float32Array, DeviceError>
  /** Gives all replicas the state that the first one has. */
  readonly adopt: Effect.Effect<void, DeviceError>
}

export interface TrainingProgram extends Exchange {
  /** One step of the optimiser on a batch. */
  readonly step: (batch: BatchArrays, at: StepInput) => Effect.Effect<StepOutput, DeviceError>
  /** A step as one run of the program, or its first part where gradients are accumulated: what ran on the device. */
  readonly profile: (batch: BatchArrays, at: StepInput) => Effect.Effect<ReadonlyArray<OpEvent>, DeviceError>
  readonly classify: (weights: WeightsName) => Classify
  /** Takes the weights into an average that is updated at the end of epochs, as the n-th. */
  readonly average: (name: string, n: number) => Effect.Effect<void, DeviceError>
  /** Takes a batch into the batch statistics of averaged weights; an epoch's first batch begins them anew. */
  readonly measureStatistics: (weights: WeightsName, batch: Batch) => Effect.Effect<void, DeviceError>
  /** The state from which the run can go on. */
  readonly read: Effect.Effect<TensorRecord, DeviceError>
  readonly write: (state: TensorRecord) => Effect.Effect<void, DeviceError>
  /** Puts it back to the start of a run with these weights and this seed. */
  readonly restart: (start: Pick<CompileOptions, "seed" | "weights">) => Effect.Effect<void, DeviceError>
  /** Ends what is running, which fails, because other replicas are gone. */
  readonly abort: Effect.Effect<void>
}

const numberIn = ({ data }: HostTensor): number => data[0]

const integer = (value: number) => int32([], Int32Array.of(value))

/** Compiles a run's program on a device; it is released with the scope. */
export const compileTraining = Effect.fnUntraced(function* (
  device: Device["Service"],
  options: CompileOptions
): Effect.fn.Return<TrainingProgram, DeviceError, Scope.Scope> {
  const { images, replicas, train } = options
  const { batchSize, size } = images
  const step = stepOptions(options, yield* Registry)
  const parts = train.gradientAccumulationSteps
  const program = yield* device.compile(stateOf(options, step), entriesOf(options, step), {
    precision: options.precision,
    xla: train.xla
  })

  const { abort, profile, read, run, write } = program
  const shape = [batchSize, size.height, size.width, 3]
  /** A part of a batch as inputs; a batch is one part unless gradients are accumulated. */
  const inputsOf = (batch: BatchArrays, part: number, step: number) => {
    const [from, to] = [part * batchSize, (part + 1) * batchSize]
    const pixels = sizeOf(shape.slice(1))
    return {
      images: uint8(shape, batch.images.subarray(from * pixels, to * pixels)),
      labelsA: int32([batchSize], batch.labelsA.subarray(from, to)),
      labelsB: int32([batchSize], batch.labelsB.subarray(from, to)),
      lambda: float32([batchSize], batch.lambda.subarray(from, to)),
      step: integer(step)
    }
  }
  /** What only replicas are told; a program without others does not take it. */
  const stopOf = ({ stop = false }: StepInput) => ({ stop: scalar(stop ? 1 : 0) })
  const updateOf = ({ coefficients, learningRate, step: number }: StepInput) => ({
    step: integer(number),
    learningRate: scalar(learningRate),
    ...coefficientInputs(step.averages, (name) => scalar(coefficients[name]))
  })

  const wholeInputs = (batch: BatchArrays, at: StepInput) => ({
    ...inputsOf(batch, 0, at.step),
    ...updateOf(at),
    ...stopOf(at)
  })
  const partInputs = (batch: BatchArrays, part: number, at: StepInput) => ({
    ...inputsOf(batch, part, at.step),
    part: integer(part)
  })

  const whole = Effect.fnUntraced(function* (batch: BatchArrays, at: StepInput) {
    const result = yield* run(`train-${at.scale}`, wholeInputs(batch, at))
    return {
      loss: numberIn(result.loss),
      correct: numberIn(result.correct),
      gradientNorm: numberIn(result.gradientNorm),
      ...(replicas && { stop: numberIn(result.stop) > 0 })
    }
  })

  const inParts = Effect.fnUntraced(function* (batch: BatchArrays, at: StepInput) {
    let loss = 0
    let correct = 0
    for (let part = 0; part < parts; part++) {
      const result = yield* run(`accumulate-${at.scale}`, partInputs(batch, part, at))
      loss += numberIn(result.loss) / parts
      correct += numberIn(result.correct)
    }
    const told = { loss: scalar(loss), correct: scalar(correct), ...stopOf(at) }
    const result = yield* run("apply", { ...updateOf(at), ...told })
    const gradientNorm = numberIn(result.gradientNorm)
    if (replicas === undefined) return { loss, correct, gradientNorm }
    return {
      loss: numberIn(result.loss),
      correct: numberIn(result.correct),
      gradientNorm,
      stop: numberIn(result.stop) > 0
    }
  })

  return {
    step: parts === 1 ? whole : inParts,
    profile: (batch, at) =>
      parts === 1
        ? profile(`train-${at.scale}`, wholeInputs(batch, at))
        : profile(`accumulate-${at.scale}`, partInputs(batch, 0, at)),
    classify: (weights) => (images) =>
      Effect.map(run(`evaluate-${weights}`, { images }), ({ logits }) => logits),
    average: (name, n) => Effect.asVoid(run(`average-${name}`, { share: scalar(1 / n) })),
    measureStatistics: Effect.fnUntraced(function* (weights, batch) {
      for (let part = 0; part < parts; part++) {
        const index = batch.index * parts + part
        const { images } = inputsOf(batch, part, index)
        yield* run(`statistics-${weights}`, { images, share: scalar(1 / (index + 1)), batch: integer(index) })
      }
    }),
    read: Effect.map(read, (state) =>
      Object.fromEntries(
        Object.entries(state).filter(([name]) => name !== SEED && !isTeachers(name) && !isAccumulated(name))
      )
    ),
    write,
    restart: (start) => write(stateOf({ ...options, ...start }, step)),
    abort,
    sum: replicas === undefined ? Effect.succeed : sumIn(run),
    adopt: replicas === undefined ? Effect.void : Effect.asVoid(run("adopt", {}))
  }
})
