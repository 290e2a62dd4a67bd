/** What a configuration asks of a run's program: the step's options, what is kept on the device, and the entry points. */
import { definitionOf } from "../../Config/Registered.ts"
import type { TrainConfig } from "../../Config.ts"
import type { Precision } from "../../Device.ts"
import type { Network } from "../../Model/Network.ts"
import type { Replicas } from "../../Ops/Collective.ts"
import type { Contents } from "../../Registry.ts"
import type { TensorRecord } from "../../Tensor/HostTensor.ts"
import { averagesOf, evaluatedOf } from "../Averages/Averages.ts"
import type { Average } from "../Averages/Define.ts"
import { optimizerOf } from "../Optimizer/Optimizer.ts"
import type { Teacher } from "../Start/Teacher.ts"
import {
  accumulationEntry,
  applicationEntry,
  initialAccumulation,
  replicatedApplicationEntry
} from "./Accumulate.ts"
import { averagingEntry, statisticsEntry } from "./AverageEntries.ts"
import { teacherState } from "./Distillation.ts"
import { evaluationEntry, type Images, replicatedEntry, seedState, trainingEntry } from "./EntryPoints.ts"
import { exchangeEntries } from "./Exchange.ts"
import { initialState, type StepOptions } from "./Step.ts"

export interface CompileOptions {
  readonly network: Network
  readonly images: Images
  readonly train: TrainConfig
  readonly precision: Precision
  readonly seed: number
  /** To start from. */
  readonly weights: TensorRecord
  readonly teachers: ReadonlyArray<Teacher>
  /** Those that the training is shared by, where it is. */
  readonly replicas?: Replicas | undefined
}

/** The step's options, from the configuration of the training and what it names. */
export const stepOptions = (
  { replicas, teachers, train }: CompileOptions,
  { losses, optimizers }: Pick<Contents, "losses" | "optimizers">
): StepOptions => ({
  optimizer: optimizerOf(train, optimizers),
  paramGroups: train.paramGroups,
  clipGradNorm: train.clipGradNorm,
  loss: definitionOf(losses, train.loss).make(train.loss),
  labelSmoothing: train.labelSmoothing,
  averages: averagesOf(train),
  sam: train.sam,
  distillation: train.distillation && {
    temperature: train.distillation.temperature,
    weight: train.distillation.weight,
    teachers: teachers.map(({ network }) => network),
    shares: teachers.map(({ share }) => share)
  },
  recompute: train.gradientCheckpointing,
  replicas: replicas && {
    ...replicas,
    synchronised: train.batchNorm === "synchronised",
    as: train.gradientCompression === "bfloat16" ? "bfloat16" : "float32"
  }
})

/** Everything that a run keeps on the device at its start. */
export const stateOf = (
  { network, seed, teachers, train, weights }: CompileOptions,
  options: StepOptions
): TensorRecord => ({
  ...seedState(seed),
  ...initialState(network, weights, options),
  ...(train.gradientAccumulationSteps > 1 && initialAccumulation(network)),
  ...teacherState(teachers.map(({ weights }) => weights))
})

/** Entry points of a name, one for each scale of images. */
const scaledEntries = <Name extends string, Entry>(
  name: Name,
  { progressiveResizing = [] }: TrainConfig,
  entry: (scale: number) => Entry
): Record<`${Name}-${number}`, Entry> =>
  Object.fromEntries(
    [...progressiveResizing, { scale: 1 }].map(({ scale }) => [`${name}-${scale}`, entry(scale)])
  ) as Record<`${Name}-${number}`, Entry>

/** Entry points of a name, one for each of some averages. */
const namedEntries = <Name extends string, Entry>(
  name: Name,
  averages: ReadonlyArray<Average>,
  entry: (average: Average) => Entry
): Record<`${Name}-${string}`, Entry> =>
  Object.fromEntries(averages.map((average) => [`${name}-${average.name}`, entry(average)])) as Record<
    `${Name}-${string}`,
    Entry
  >

/** Entry points of the averages that are updated at the end of epochs. */
const averagingEntries = (network: Network, averages: ReadonlyArray<Average>) =>
  Object.fromEntries(
    averages.flatMap(({ afterEpoch, name }) =>
      afterEpoch === undefined ? [] : [[`average-${name}`, averagingEntry(network, afterEpoch)]]
    )
  ) as Record<`average-${string}`, ReturnType<typeof averagingEntry>>

/** The entry points that a configuration asks for. */
export const entriesOf = (compile: CompileOptions, options: StepOptions) => {
  const { images, network, train } = compile
  const { replicas } = options
  const parts = train.gradientAccumulationSteps
  const evaluated = evaluatedOf(train)
  const refreshed = evaluated.filter(({ refreshStatistics }) => refreshStatistics)
  const evaluation = namedEntries("evaluate", evaluated, ({ keptAs }) =>
    evaluationEntry(network, images, keptAs)
  )
  const statistics = namedEntries("statistics", refreshed, (average) =>
    statisticsEntry(network, images, average, replicas)
  )
  const averaging = averagingEntries(network, options.averages)
  const whole = scaledEntries("train", train, (scale) =>
    replicas === undefined
      ? trainingEntry(network, images, options, scale)
      : replicatedEntry(network, images, options, { replicas, scale })
  )
  const part = scaledEntries("accumulate", train, (scale) =>
    accumulationEntry(network, images, options, { parts, scale })
  )
  // What the configuration does not ask for is neither compiled nor called.
  const apply = {
    apply:
      replicas === undefined
        ? applicationEntry(network, options)
        : replicatedApplicationEntry(network, options, replicas)
  }
  const exchange = replicas === undefined ? {} : exchangeEntries(replicas)
  return {
    ...evaluation,
    ...statistics,
    ...averaging,
    ...(parts === 1 ? whole : { ...part, ...apply }),
    ...exchange
  } as typeof evaluation &
    typeof statistics &
    typeof averaging &
    typeof whole &
    typeof part &
    typeof apply &
    ReturnType<typeof exchangeEntries>
}
