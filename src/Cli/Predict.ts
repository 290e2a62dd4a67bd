/** `shakedrop predict`: what a run's network sees in images, or the logits of any network for tensors. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { checkpointFlag, tellSkipped } from "./Shared/Checkpoints.ts"
import { deviceFlag } from "./Shared/Flags.ts"
import { writtenTo } from "./Shared/Paths.ts"
import { checkAllRead, fullFlag, imageFiles, printPredictions, topFlag } from "./Shared/Predictions.ts"

const flags = {
  run: Argument.String("run").pipe(Argument.withDescription("The run's folder"), Argument.optional),
  images: Argument.String("images").pipe(
    Argument.withDescription("Image files, and folders whose images are all taken"),
    Argument.variadic()
  ),
  top: topFlag,
  full: fullFlag,
  checkpoint: checkpointFlag,
  model: Flag.String("model").pipe(
    Flag.withDescription(
      "A model as JSON, for tensors instead of images (`shakedrop models --json` shows some)"
    ),
    Flag.optional
  ),
  weights: Flag.String("weights").pipe(
    Flag.withDescription("Its weights: safetensors with PyTorch's names"),
    Flag.optional
  ),
  input: Flag.String("input").pipe(
    Flag.withDescription("safetensors with the normalised images: input, float32 [N,3,H,W]"),
    Flag.optional
  ),
  out: writtenTo("out", "file").pipe(
    Flag.withDescription("Where the logits are written: safetensors with logits, float32 [N,classes]"),
    Flag.optional
  ),
  device: deviceFlag
}

type Input = Command.Command.Config.Infer<typeof flags>

const TENSORS = ["model", "weights", "input", "out"] as const

/** The values of the flags for tensors, all of which are needed. */
const tensorFlags = Effect.fnUntraced(function* (input: Input) {
  const { PredictError } = yield* Effect.promise(() => import("../Predict.ts"))
  const missing = TENSORS.filter((name) => Option.isNone(input[name]))
  if (missing.length > 0) {
    return yield* new PredictError({
      reason: "Contradiction",
      message: `predict takes a run and images, or for tensors --${TENSORS.join(", --")}: ${missing.map((name) => `--${name}`).join(", ")} missing`
    })
  }
  const [model, weights, file, out] = TENSORS.map((name) => Option.getOrThrow(input[name]))
  return { model, weights, input: file, out }
})

/** The configuration of a model that is given as JSON. */
const decodeModel = Effect.fnUntraced(function* (text: string) {
  const { decodeStrictly } = yield* Effect.promise(() => import("../Config/Decode.ts"))
  const { oneOf } = yield* Effect.promise(() => import("../Config/Registered.ts"))
  const { Registry } = yield* Effect.promise(() => import("../Registry.ts"))
  const { PredictError } = yield* Effect.promise(() => import("../Predict.ts"))
  const wrong = (problem: string) => new PredictError({ reason: "Model", message: `--model: ${problem}` })
  const json = yield* Effect.try({
    try: (): unknown => JSON.parse(text),
    catch: (cause) => wrong(`it is not JSON: ${(cause as Error).message}`)
  })
  const config = yield* decodeStrictly(oneOf((yield* Registry).models), json).pipe(
    Effect.mapError(({ message }) => wrong(message))
  )
  if (config.classes === undefined) return yield* wrong("classes is missing")
  return { ...config, classes: config.classes }
})

const predictTensorFile = Effect.fnUntraced(function* (flags: Input) {
  const { Device } = yield* Effect.promise(() => import("../Device.ts"))
  const { makeNetwork, weightsFor } = yield* Effect.promise(() => import("../Model.ts"))
  const { encode } = yield* Effect.promise(() => import("../Tensor/Safetensors.ts"))
  const { inputOf, predictTensors, readTensors } = yield* Effect.promise(() => import("../Predict.ts"))
  const { writeFileAtomic } = yield* Effect.promise(() => import("../Platform/Files.ts"))
  const { readWeights } = yield* Effect.promise(() => import("../Train/Start/WeightsFile.ts"))
  const files = yield* tensorFlags(flags)
  const config = yield* decodeModel(files.model)
  const input = yield* inputOf(files.input, yield* readTensors(files.input))
  const [, , height, width] = input.shape
  const { Registry } = yield* Effect.promise(() => import("../Registry.ts"))
  const { models } = yield* Registry
  const network = makeNetwork(config, { classes: config.classes, size: { height, width } }, models)
  const { weights } = yield* readWeights(files.weights, network, weightsFor)
  const logits = yield* predictTensors(network, weights, input).pipe(
    Effect.provide(Device.layer(flags.device))
  )
  yield* writeFileAtomic(files.out, encode({ logits }))
})

const predictImages = Effect.fnUntraced(function* (
  run: string,
  { checkpoint, device, full, images, top }: Input
) {
  const { Device } = yield* Effect.promise(() => import("../Device.ts"))
  const { classifier, servedNetwork } = yield* Effect.promise(() => import("../Predict.ts"))
  const files = yield* imageFiles(images)
  let unreadable = 0
  yield* Effect.gen(function* () {
    const served = yield* servedNetwork(run, { checkpoint: Option.getOrUndefined(checkpoint) })
    yield* tellSkipped(served.skipped)
    const classify = yield* classifier(served)
    yield* Stream.runForEach(classify(files), (batch) =>
      Effect.gen(function* () {
        yield* printPredictions(batch, served.classes, { top, full })
        unreadable += batch.unreadable.length
      })
    )
  }).pipe(Effect.scoped, Effect.provide(Device.layer(device)))
  yield* checkAllRead(unreadable, files.length)
})

export const predictCommand = Command.make(
  "predict",
  flags,
  Effect.fn("predict command")(function* (input) {
    if (Option.isNone(input.run)) return yield* predictTensorFile(input)
    const { PredictError } = yield* Effect.promise(() => import("../Predict.ts"))
    const tensors = TENSORS.filter((name) => Option.isSome(input[name]))
    if (tensors.length > 0) {
      return yield* new PredictError({
        reason: "Contradiction",
        message: `--${tensors[0]} is for tensors, without a run and images`
      })
    }
    yield* predictImages(input.run.value, input)
  })
).pipe(
  Command.withDescription("Classify images with a run's network: a line of JSON for each"),
  Command.withExamples([
    {
      command: "shakedrop predict runs/quickstart photos --top 3",
      description: "The three most likely classes of every image in a folder"
    },
    {
      command: `shakedrop predict --model '{"_tag":"WideResNet","depth":16,"widenFactor":1,"classes":100}' --weights F.safetensors --input X.safetensors --out Y.safetensors`,
      description: "Logits of a network with weights from PyTorch, for images that are tensors"
    }
  ])
)
