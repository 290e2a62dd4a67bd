/** `shakedrop predict`: from its flags to predictions, or to logits. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { decodeStrictly } from "../../Config/Decode.ts"
import { oneOf } from "../../Config/Registered.ts"
import { Device } from "../../Device.ts"
import { makeNetwork, weightsFor } from "../../Model.ts"
import { writeFileAtomic } from "../../Platform/Files.ts"
import {
  classifier,
  inputOf,
  PredictError,
  predictTensors,
  readTensors,
  servedNetwork
} from "../../Predict.ts"
import { Registry } from "../../Registry.ts"
import { encode } from "../../Tensor/Safetensors.ts"
import { readWeights } from "../../Train/Start/WeightsFile.ts"
import { tellSkipped } from "../Shared/Checkpoints.ts"
import { checkAllRead, imageFiles, printPredictions } from "../Shared/Predictions.ts"
import type { PredictInput } from "./Flags.ts"

const TENSORS = ["model", "weights", "input", "out"] as const

/** The values of the flags for tensors, all of which are needed. */
const tensorFlags = Effect.fnUntraced(function* (input: PredictInput) {
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

const predictTensorFile = Effect.fnUntraced(function* (flags: PredictInput) {
  const files = yield* tensorFlags(flags)
  const config = yield* decodeModel(files.model)
  const input = yield* inputOf(files.input, yield* readTensors(files.input))
  const [, , height, width] = input.shape
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
  { checkpoint, device, full, images, top }: PredictInput
) {
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

/** Classifies images with a run's network, or tensors with any network, as the flags say. */
export const runPredict = Effect.fnUntraced(function* (input: PredictInput) {
  if (Option.isNone(input.run)) return yield* predictTensorFile(input)
  const tensors = TENSORS.filter((name) => Option.isSome(input[name]))
  if (tensors.length > 0) {
    return yield* new PredictError({
      reason: "Contradiction",
      message: `--${tensors[0]} is for tensors, without a run and images`
    })
  }
  yield* predictImages(input.run.value, input)
})
