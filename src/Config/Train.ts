/** How a network is trained, as data. */
import * as Schema from "effect/Schema"
import { count, nonNegative, positive, positiveShare, share, withDefault } from "./Fields.ts"
import { LogConfig } from "./Log.ts"
import type { Registered } from "./Registered.ts"
import { ProgressiveResizing } from "./Resizing.ts"
import type { Misfit } from "./Schedule.ts"
import { viewsSchema } from "./Views.ts"
import { type ConfiguredAverage, teacherOf } from "./Weights.ts"

/** The Schemas of what a training chooses by its name. */
export interface RegisteredInTraining {
  readonly loss: Schema.Codec<Registered, unknown>
  readonly averages: ReadonlyArray<ConfiguredAverage>
  readonly optimizer: Schema.Codec<Registered, unknown>
  readonly schedule: Schema.Codec<Registered, unknown>
  /** What of a schedule's options could never take effect in a run of so many epochs. */
  readonly misfit: (schedule: Registered, epochs: number) => Misfit | undefined
  /** A pipeline of steps that act on one image. */
  readonly images: Schema.Codec<ReadonlyArray<Registered>, ReadonlyArray<unknown>>
}

/** How parameters of one kind differ from the others. */
const Group = Schema.Struct({
  /** What the learning rate is multiplied with. */
  lrMultiplier: positive.pipe(withDefault(1)),
  /** In place of the optimiser's own. */
  weightDecay: Schema.optionalKey(nonNegative)
})

/** Parameter groups: what differs for kernels, matrices, normalisations' scales, biases, and positions and tokens. */
const ParamGroups = Schema.Struct({
  conv: Schema.optionalKey(Group),
  linear: Schema.optionalKey(Group),
  norm: Schema.optionalKey(Group),
  bias: Schema.optionalKey(Group),
  embedding: Schema.optionalKey(Group)
})
export type ParamGroups = typeof ParamGroups.Type

/** The options of averages, each under its name; what they are is known to their definitions. */
const averageFields = (averages: ReadonlyArray<ConfiguredAverage>) =>
  Object.fromEntries(averages.map(({ name, schema }) => [name, Schema.optionalKey(schema)])) as Readonly<
    Record<never, never>
  >

const fieldsOf = ({ averages, images, loss, optimizer, schedule }: RegisteredInTraining) => ({
  epochs: count,
  /** A file of weights with PyTorch's names to start from; a classifier of other classes starts from the seed. */
  initialWeights: Schema.optionalKey(
    Schema.String.check(
      Schema.isPattern(/\.(safetensors|pth|pt)$/, {
        expected: "the path of a .safetensors, .pth or .pt file"
      })
    )
  ),
  /**
   * What convolutions and matrix products compute in; bfloat16 takes a GPU, or a CPU with AVX512_BF16 or
   * AMX. `fastest` is measured when a run begins, and the run's own configuration says what it was.
   */
  precision: Schema.Literals(["float32", "bfloat16", "fastest"]).pipe(withDefault("float32")),
  /** Whether XLA compiles what runs on a GPU: steps take about half the time, the first one much longer. */
  xla: Schema.Boolean.pipe(withDefault(true)),
  batchSize: count,
  /** The highest learning rate of the schedule. */
  learningRate: positive,
  schedule,
  /** Smaller images in the first epochs. */
  progressiveResizing: Schema.optionalKey(ProgressiveResizing),
  optimizer: optimizer.pipe(withDefault({ _tag: "Sgd" })),
  /** Parameters of a kind with another learning rate or weight decay. */
  paramGroups: ParamGroups.pipe(withDefault({})),
  /** Largest global norm of the gradients. */
  clipGradNorm: Schema.optionalKey(positive),
  /** What is minimised: a function of the logits and the targets, which have the labels' smoothing. */
  loss: loss.pipe(withDefault({ _tag: "CrossEntropy" })),
  labelSmoothing: share.pipe(withDefault(0)),
  ...averageFields(averages),
  /** Sharpness-aware minimisation: gradients from where the loss is highest within a distance of `rho`. */
  sam: Schema.optionalKey(
    Schema.Struct({
      rho: positive,
      /** Whether the distance is relative to the size of each weight (ASAM). */
      adaptive: Schema.Boolean.pipe(withDefault(false))
    })
  ),
  /** How many parts a batch is taken in, one after the other, so that it needs the memory of one of them. */
  gradientAccumulationSteps: count.pipe(withDefault(1)),
  /**
   * Where several replicas train a network: whether each normalises with the statistics of its own images (`local`, as it
   * is unless given), or all with those of the whole batch (`synchronised`), as one device would.
   */
  batchNorm: Schema.optionalKey(Schema.Literals(["local", "synchronised"])),
  /** What several replicas send gradients to each other as; float32 unless given. */
  gradientCompression: Schema.optionalKey(Schema.Literals(["none", "bfloat16"])),
  /** Whether blocks are computed again in the backward pass: less memory, more time. */
  gradientCheckpointing: Schema.Boolean.pipe(withDefault(false)),
  /** Trained networks to learn from besides the labels. */
  distillation: Schema.optionalKey(
    Schema.Struct({
      teachers: Schema.Array(teacherOf(averages)).check(Schema.isMinLength(1)),
      temperature: positive.pipe(withDefault(4)),
      /** Share of the teachers in the loss. */
      weight: positiveShare.pipe(withDefault(0.9))
    })
  ),
  /** Epochs between two evaluations on the validation split; the last epoch is always evaluated. */
  evaluateEvery: count.pipe(withDefault(1)),
  /** The test images are also shown in these ways, for a second accuracy: that of the mean logits. */
  tta: Schema.optionalKey(viewsSchema(images)),
  /** How many of the newest checkpoints are kept, apart from the best. */
  keep: count.pipe(withDefault(2)),
  /** Minutes after which a checkpoint is saved within an epoch too. */
  saveMinutes: positive.pipe(withDefault(10)),
  /** Where it is told of besides the run's folder. */
  log: Schema.optionalKey(LogConfig)
})

/** The options of an average, as its Schema has decoded them; undefined where a training does not have it. */
export const averageOptions = (train: TrainConfig, name: string): unknown =>
  (train as Readonly<Record<string, unknown>>)[name]

/** What is wrong with the options of averages in this training. */
const averageIssues = (
  averages: ReadonlyArray<ConfiguredAverage>,
  train: TrainConfig
): ReadonlyArray<Schema.FilterIssue> =>
  averages.flatMap((average) => {
    const options = averageOptions(train, average.name)
    const found = options === undefined ? undefined : average.check?.(options, train)
    if (found === undefined) return []
    return [
      typeof found === "object" && "path" in found ? { ...found, path: [average.name, ...found.path] } : found
    ]
  })

/** What in a training contradicts itself. */
const contradictions = (
  train: TrainConfig,
  misfit: Misfit | undefined
): ReadonlyArray<Schema.FilterIssue> => {
  const { gradientAccumulationSteps, batchSize, epochs, progressiveResizing, sam } = train
  const issues: Array<Schema.FilterIssue> = []
  if (misfit !== undefined) {
    issues.push({ path: ["schedule", misfit.option], issue: `expected ${misfit.expected}` })
  }
  if (progressiveResizing?.some(({ until }) => until >= epochs)) {
    issues.push({
      path: ["progressiveResizing"],
      issue: `expected whole images in the last of ${epochs} epochs`
    })
  }
  if (batchSize % gradientAccumulationSteps !== 0) {
    issues.push({
      path: ["gradientAccumulationSteps"],
      issue: `expected a divisor of the batch size ${batchSize}`
    })
  }
  if (sam !== undefined && gradientAccumulationSteps > 1) {
    // Each part would look for the worst place in its own direction.
    issues.push({
      path: ["gradientAccumulationSteps"],
      issue: "expected 1 with SAM, which needs the gradient of the whole batch first"
    })
  }
  return issues
}

type Fields = ReturnType<typeof fieldsOf>
export type TrainConfig = Schema.Struct<Fields>["Type"]

/** The same as it is written, but for what is registered. */
export type TrainInput = Omit<Schema.Struct<Fields>["Encoded"], "loss" | "optimizer" | "schedule">

/** The Schema of a training with what is registered. */
export const trainSchema = (registered: RegisteredInTraining) =>
  Schema.Struct(fieldsOf(registered)).check(
    Schema.makeFilter((train) => [
      ...contradictions(train, registered.misfit(train.schedule, train.epochs)),
      ...averageIssues(registered.averages, train)
    ])
  )
