/** What a run will take, from a short warm-up on the device that it runs on. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { costOfEpochs } from "../../Config/Resizing.ts"
import type { TrainConfig } from "../../Config.ts"
import type { LoadedDataset } from "../../Data.ts"
import type { Network } from "../../Model/Network.ts"
import { formatSeconds, short } from "../../Platform/Text.ts"
import { sizeOf } from "../../Tensor/HostTensor.ts"
import { averagesOf, weightsKept } from "../Averages/Averages.ts"
import type { OptimizerDefinition } from "../Optimizer/Define.ts"
import { optimizerOf } from "../Optimizer/Optimizer.ts"
import type { Images } from "../Step/EntryPoints.ts"
import type { TrainingProgram } from "../Step/TrainingProgram.ts"
import { onTrial } from "./TrialSteps.ts"

/** Seconds of the warm-up, in which at least one step is timed. */
export const WarmUp: Context.Reference<number> = Context.Reference("shakedrop/WarmUp", {
  defaultValue: () => 1
})

const DAY = 86_400

/** An evaluated image costs about a third of one that is trained on: forward only. */
const EVALUATION = 1 / 3

/** Steps that are timed where several replicas take them together: each has to know how many without asking. */
const SHARED_STEPS = 2

/**
 * Images per second of a program's training steps, which several replicas may take together. The state is as before
 * afterwards.
 */
export const measureSpeed = Effect.fn("measureSpeed")(
  (program: TrainingProgram, images: Images, train: TrainConfig, shared = false) =>
    onTrial(
      program,
      images,
      train,
      Effect.fnUntraced(function* (batch, at) {
        const atLeast = yield* WarmUp
        const step = program.step(batch, at)
        // TensorFlow plans and compiles in the first step.
        yield* step
        const start = performance.now()
        let steps = 0
        let seconds = 0
        while (shared ? steps < SHARED_STEPS : steps === 0 || seconds < atLeast) {
          yield* step
          steps++
          seconds = (performance.now() - start) / 1000
          yield* Effect.yieldNow
        }
        return (steps * train.batchSize) / seconds
      })
    )
)

export interface ForecastInput {
  readonly network: Network
  readonly train: TrainConfig
  readonly dataset: LoadedDataset
  readonly imagesPerSecond: number
  /** The optimisers that there are; this library's unless given. */
  readonly optimizers?: ReadonlyArray<OptimizerDefinition> | undefined
}

export interface Forecast {
  /** Of training and evaluation. */
  readonly seconds: number
  /** Of the checkpoints that are kept. */
  readonly bytes: number
}

export const forecast = ({
  dataset,
  imagesPerSecond,
  network,
  optimizers,
  train
}: ForecastInput): Forecast => {
  const weights = weightsKept(train).length
  const evaluations = Math.ceil(train.epochs / train.evaluateEvery)
  const epochs = costOfEpochs(train.progressiveResizing ?? [], 0, train.epochs)
  const images =
    epochs * dataset.train.indices.length +
    EVALUATION * (evaluations * weights * dataset.validation.indices.length + dataset.test.indices.length)
  const all = network.tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  const { slots } = optimizerOf(train, optimizers)
  const kept = network.tensors.reduce(
    (sum, { kind, role, shape }) => sum + (role === "parameter" ? slots(kind).length * sizeOf(shape) : 0),
    0
  )
  // The best checkpoint has what is evaluated, and nothing of the optimiser's.
  const values = train.keep * (averagesOf(train).length * all + kept) + weights * all
  return { seconds: images / imagesPerSecond, bytes: 4 * values }
}

/** What is under way before anything else can be told. By XLA, which is for GPUs, it takes long. */
export const describeCompilation = (device: string, { xla }: TrainConfig): string =>
  device === "cpu" || !xla
    ? "compiling the network"
    : "compiling the network by XLA: half a minute, and several minutes if it is deep; --set train.xla=false starts sooner, and trains more slowly"

/** What a user wants to know before a run starts, a line each. */
export const describeForecast = (input: ForecastInput): ReadonlyArray<string> => {
  const { imagesPerSecond, network, train } = input
  const { bytes, seconds } = forecast(input)
  return [
    `${network.name}: ${short(network.parameters)} parameters, ${short(network.multiplyAdds)} multiply-adds an image`,
    `${short(imagesPerSecond)} images/s here: about ${formatSeconds(seconds)} for ${train.epochs} epochs, ${short(bytes)}B of checkpoints`,
    ...(seconds > DAY
      ? [
          "that is longer than a day: fewer epochs (--set train.epochs=…), a smaller network or a GPU make it shorter; it can be interrupted and continued at any time"
        ]
      : [])
  ]
}
