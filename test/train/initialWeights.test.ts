import { createHash } from "node:crypto"
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { merge } from "../../src/Config.ts"
import { decodeExperiment, type ExperimentInput } from "../../src/Experiment.ts"
import { fromPyTorch, makeNetwork, toPyTorch } from "../../src/Model.ts"
import { recipes } from "../../src/Recipe.ts"
import type { TensorRecord } from "../../src/Tensor/HostTensor.ts"
import { decode, encode } from "../../src/Tensor/Safetensors.ts"
import { smokeExperiment } from "../../src/Train/Probe/DryRun.ts"
import { initialWeights } from "../../src/Train/Start/Network.ts"
import { distance } from "../support/Fixtures.ts"
import { colours, newest, runsOn, temporary } from "../support/Runs.ts"

const dataset = colours()
const { interrupted, run } = runsOn(dataset)

const model = {
  _tag: "VisionTransformer",
  patchSize: 4,
  embedDim: 8,
  depth: 1,
  numHeads: 2,
  resize: 12
} as const

/** Weights that were trained on seven classes, with 2×2 patches. */
const published = (seed: number, width = 8): TensorRecord => {
  const options = { ...model, resize: 8, embedDim: width }
  const network = makeNetwork(options, { classes: 7, size: { height: 8, width: 8 } })
  return toPyTorch(network, network.init(seed))
}

const input: ExperimentInput = {
  name: "fine-tuning",
  data: { dataset: "shapes" },
  augment: [],
  model,
  train: {
    epochs: 1,
    batchSize: 16,
    // So that weights stay where they start.
    ...{ learningRate: 1e-9, optimizer: { _tag: "Sgd", weightDecay: 0 }, schedule: { _tag: "Cosine" } }
  }
}

const from = (file: string, train: object = {}) =>
  decodeExperiment(merge(input, { train: { ...train, initialWeights: file } }))

const write = (file: string, tensors: TensorRecord): string => {
  writeFileSync(file, Buffer.concat(encode(tensors)))
  return file
}

describe("weights of a file", () => {
  it("are laid over those of the seed and of images", () => {
    const network = makeNetwork(
      { _tag: "Airbench", widths: [4, 4, 4], convolutions: 2, logitScale: 1 },
      { classes: 4, size: { height: 8, width: 8 } }
    )
    const other = network.init(2)
    const given = { "head.weight": other["head.weight"] }
    assert.deepStrictEqual(initialWeights(network, 1, dataset, given), {
      ...initialWeights(network, 1, dataset),
      ...given
    })
    assert.deepStrictEqual(initialWeights(network, 1, dataset, other), other)
  })

  it.live("are what a run starts from, for other images and classes than they were trained on", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const directory = path.join(folder, "run")
      const file = write(path.join(folder, "published.safetensors"), published(5))
      yield* run(yield* from(file), directory)
      const { tensors } = decode(newest(directory))
      const network = makeNetwork(model, { classes: 4, size: { height: 8, width: 8 } })
      assert.deepStrictEqual(tensors["head.weight"].shape, [4, 8])
      assert.deepStrictEqual(tensors.pos_embed.shape, [1, 10, 8])
      const ended = fromPyTorch(network, tensors)
      const [start, seed] = [fromPyTorch(network, published(5)), network.init(1)]
      const changed = ["pos_embed", "head.weight", "head.bias"]
      for (const { name } of network.tensors.filter(({ name }) => !changed.includes(name))) {
        assert.isBelow(distance(ended[name], start[name]), 1e-6, name)
      }
      assert.isAbove(distance(ended["blocks.0.attn.qkv.weight"], seed["blocks.0.attn.qkv.weight"]), 1e-2)
      const { initialWeights } = JSON.parse(readFileSync(path.join(directory, "config.json"), "utf8"))
      assert.strictEqual(initialWeights, createHash("sha256").update(readFileSync(file)).digest("hex"))
    })
  )

  it.live("must be the same ones when the run is continued, which then ends with the same bits", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const [whole, parts] = [path.join(folder, "whole"), path.join(folder, "parts")]
      const file = write(path.join(folder, "published.safetensors"), published(5))
      const config = yield* from(file, { learningRate: 0.1, epochs: 2 })
      yield* run(config, whole)
      yield* interrupted(config, parts, 4, false)
      write(file, published(6))
      const error = yield* Effect.flip(run(config, parts, { resume: true }))
      assert.match(error.message, /another configuration \(initialWeights: "[0-9a-f]{64}" → "[0-9a-f]{64}"\)/)
      write(file, published(5))
      yield* run(config, parts, { resume: true })
      assert.isTrue(newest(whole).equals(newest(parts)))
    })
  )

  it.live("are not needed again once the run has a checkpoint", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const [whole, parts] = [path.join(folder, "whole"), path.join(folder, "parts")]
      const file = write(path.join(folder, "published.safetensors"), published(5))
      const config = yield* from(file, { learningRate: 0.1, epochs: 2 })
      yield* run(config, whole)
      yield* interrupted(config, parts, 4, false)
      rmSync(file)
      yield* run(config, parts, { resume: true })
      assert.isTrue(newest(whole).equals(newest(parts)))
      // As a run is that was killed in its first epoch.
      for (const name of ["checkpoints", "metrics.jsonl", "result.json"])
        rmSync(path.join(parts, name), { recursive: true })
      const error = yield* Effect.flip(run(config, parts, { resume: true }))
      assert.match(error.message, /train\.initialWeights: there is no file /)
    })
  )

  it.live("that are missing, damaged or another network's are told in one line, before anything begins", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const directory = path.join(folder, "run")
      const problem = (file: string) =>
        Effect.gen(function* () {
          const { message } = yield* Effect.flip(run(yield* from(file), directory))
          assert.include(message, file)
          assert.notInclude(message, "\n")
          assert.isFalse(existsSync(directory))
          return message
        })
      const at = (name: string) => path.join(folder, name)
      const file = write(at("whole.safetensors"), published(5))
      assert.match(
        yield* problem(at("vit_tiny.in21k.safetensors")),
        /train\.initialWeights: there is no file .*timm\/vit_tiny\.in21k on /
      )
      writeFileSync(at("cut.safetensors"), readFileSync(file).subarray(0, -4))
      assert.match(yield* problem(at("cut.safetensors")), /train\.initialWeights: .*it is cut off/)
      write(at("wide.safetensors"), published(5, 16))
      assert.match(
        yield* problem(at("wide.safetensors")),
        /cls_token is float32\[1, 1, 16\] instead of float32\[1, 1, 8\]/
      )
      const { "norm.bias": _, ...without } = published(5)
      write(at("without.safetensors"), without)
      assert.match(yield* problem(at("without.safetensors")), /norm\.bias missing/)
    })
  )

  it.effect("have a name that says what they are", () =>
    Effect.gen(function* () {
      for (const name of ["weights.pth", "weights.pt"])
        assert.strictEqual((yield* from(name)).train.initialWeights, name)
      const { message } = yield* Effect.flip(from("weights.bin"))
      assert.match(
        message,
        /train\.initialWeights: expected the path of a \.safetensors, \.pth or \.pt file, got "weights.bin"/
      )
    })
  )
})

it.effect("a trial of the fine-tuning recipe needs no file", () =>
  Effect.gen(function* () {
    const { experiment } = recipes["vit-b16-finetune"]
    const whole = yield* decodeExperiment(merge(experiment, { data: { directory: "somewhere" } }))
    assert.match(whole.train.initialWeights ?? "", /^vit_base_patch16_224\.augreg_in21k\.safetensors$/)
    const { train } = smokeExperiment(whole)
    assert.isUndefined(train.initialWeights)
    assert.deepStrictEqual([train.batchSize, train.gradientAccumulationSteps], [16, 8])
  })
)
