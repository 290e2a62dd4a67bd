import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { bool, FLOAT, ints, normalisation, type, windowed } from "../../src/Device/Graph/Attributes.ts"
import { Graph } from "../../src/Device/Graph/Graph.ts"
import type { GraphTensor } from "../../src/Device/Graph/Types.ts"
import { TF } from "../../src/Device/Library/DataType.ts"
import { loadLibrary } from "../../src/Device/Load.ts"
import { compileEntry, declareVariable } from "../../src/Device/Trace/EntryPoint.ts"
import { makeNetwork } from "../../src/Model.ts"
import { seedState, trainingEntry } from "../../src/Train/Step/EntryPoints.ts"
import { initialState, PLAIN_STEP } from "../../src/Train/Step/Step.ts"

/** A graph as it is recorded for a GPU, which building it does not need. */
const graphIn = (precision: "float32" | "bfloat16") =>
  Effect.map(
    Effect.acquireRelease(
      Effect.map(loadLibrary, (api) => new Graph(api, { placement: "Gpu", precision })),
      (graph) => Effect.sync(() => graph.dispose())
    ),
    (graph) => {
      const images = graph.placeholder(TF.FLOAT, [2, 8, 8, 3])
      const kernel = graph.placeholder(TF.FLOAT, [3, 3, 3, 4])
      const [map] = graph.add("Conv2D", [images, kernel], windowed(1, "SAME")).outputs
      return { graph, images, map }
    }
  )

const types = (outputs: ReadonlyArray<GraphTensor>): ReadonlyArray<number> =>
  outputs.map(({ dtype }) => dtype)

describe("what a GPU computes in bfloat16", () => {
  it.effect("are convolutions, and feature maps after them", () =>
    Effect.gen(function* () {
      const { graph, map } = yield* graphIn("bfloat16")
      assert.strictEqual(map.dtype, TF.BFLOAT16)
      const relu = graph.add("Relu", [map], [FLOAT])
      const sum = graph.add("AddV2", [relu.outputs[0], graph.placeholder(TF.FLOAT, [2, 8, 8, 4])], [FLOAT])
      assert.deepStrictEqual(types([...relu.outputs, ...sum.outputs]), [TF.BFLOAT16, TF.BFLOAT16])
    }).pipe(Effect.scoped)
  )

  it.effect("are no statistics, sums, gradients of parameters or products that are no maps", () =>
    Effect.gen(function* () {
      const { graph, images, map } = yield* graphIn("bfloat16")
      const channels = [1, 2, 3, 4].map(() => graph.placeholder(TF.FLOAT, [4]))
      const norm = graph.add("FusedBatchNormV3", [map, ...channels], normalisation(1e-5, true))
      assert.deepStrictEqual(types(norm.outputs.slice(0, 3)), [TF.BFLOAT16, TF.FLOAT, TF.FLOAT])
      const axes = graph.constant(TF.INT32, [2], Int32Array.of(1, 2))
      const mean = graph.add("Mean", [map, axes], [FLOAT, type("Tidx", TF.INT32), bool("keep_dims", false)])
      const sizes = graph.constant(TF.INT32, [4], Int32Array.of(3, 3, 3, 4))
      const filter = graph.add("Conv2DBackpropFilter", [images, sizes, map], windowed(1, "SAME"))
      const weights = graph.placeholder(TF.FLOAT, [4, 10])
      const product = graph.add("MatMul", [mean.outputs[0], weights], [FLOAT])
      assert.deepStrictEqual(types([mean, filter, product].flatMap(({ outputs }) => outputs)), [
        TF.FLOAT,
        TF.FLOAT,
        TF.FLOAT
      ])
    }).pipe(Effect.scoped)
  )

  it.effect("is nothing where float32 is asked for", () =>
    Effect.gen(function* () {
      const { graph, map } = yield* graphIn("float32")
      const attributes = [...windowed(2, "VALID"), ints("ksize", [1, 2, 2, 1])]
      const pooled = graph.add("MaxPool", [map], attributes).outputs
      assert.deepStrictEqual(types([map, ...pooled]), [TF.FLOAT, TF.FLOAT])
    }).pipe(Effect.scoped)
  )

  for (const model of [
    { _tag: "SimpleCnn", width: 8 },
    { _tag: "WideResNet", depth: 10, widenFactor: 1 },
    { _tag: "PyramidNet", block: "bottleneck", depth: 20, alpha: 24, shakedrop: {} },
    { _tag: "VisionTransformer", patchSize: 8, embedDim: 16, depth: 1, numHeads: 2 },
    { _tag: "Airbench", widths: [8, 16, 16], convolutions: 2, logitScale: 1 / 9 }
  ] as ReadonlyArray<Parameters<typeof makeNetwork>[0]>) {
    it.effect(`is a whole training step of ${model._tag}, whose state stays float32`, () =>
      Effect.gen(function* () {
        const { graph } = yield* graphIn("bfloat16")
        const size = { height: 32, width: 32 }
        const network = makeNetwork(model, { classes: 10, size })
        const state = { ...initialState(network, network.init(1), PLAIN_STEP), ...seedState(1) }
        const variables = new Map(
          Object.entries(state).map(([name, value]) => [name, declareVariable(graph, name, value)])
        )
        const images = { batchSize: 4, size, mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] } as const
        const entry = trainingEntry(network, images, { ...PLAIN_STEP, clipGradNorm: 1 })
        const { signature } = compileEntry(graph, variables, "train", entry)
        assert.isTrue(types(signature.fetches).every((type) => type === TF.FLOAT || type === TF.INT32))
      }).pipe(Effect.scoped)
    )
  }
})
