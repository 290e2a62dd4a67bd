/** An ensemble as one graph: every member for every view of the images, and what their answers combine to. */
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import type { EnsembleConfig } from "../Config/Ensemble.ts"
import { VIEWS } from "../Config/Views.ts"
import { loadMember, verifyMember } from "../Ensemble/Member.ts"
import type { Ensemble } from "../Ensemble.ts"
import type { Network } from "../Model/Network.ts"
import type { TensorRecord } from "../Tensor/HostTensor.ts"
import { ExportError } from "./Errors.ts"
import { frozenProgram, type InputForm } from "./Frozen.ts"
import { type GraphFormat, writeGraph } from "./WriteGraph.ts"

const refused = (message: string) => new ExportError({ reason: "Ensemble", message })

/** A view that a graph can make: the image as it is, or mirrored. */
interface GraphView {
  readonly flip: boolean
  readonly weight: number
}

const viewsIn = ({ tta }: EnsembleConfig): Effect.Effect<ReadonlyArray<GraphView>, ExportError> =>
  Effect.forEach(typeof tta === "string" ? VIEWS[tta] : tta, (view) =>
    view._tag === "Window" && view.x === 0 && view.y === 0
      ? Effect.succeed({ flip: view.flip, weight: view.weight })
      : Effect.fail(
          refused(
            "the ensemble shows images moved or augmented, which is not part of a graph: only as they are, and mirrored"
          )
        )
  )

const checkRule = ({ rule }: EnsembleConfig): Effect.Effect<void, ExportError> =>
  rule === "MeanProbabilities" || rule === "MeanLogits"
    ? Effect.void
    : Effect.fail(
        refused(`the rule ${rule} cannot be written as a graph: MeanProbabilities and MeanLogits can`)
      )

/** The smallest number that no device takes for zero. */
const SMALLEST = 2 ** -126

const logOf = (probabilities: tf.Tensor): tf.Tensor => tf.log(tf.maximum(probabilities, SMALLEST))

/** A mean; of the weights only the ratios count. */
const weightedMean = (values: ReadonlyArray<tf.Tensor>, weights: ReadonlyArray<number>): tf.Tensor => {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return values
    .map((value, i) => tf.mul(value, weights[i] / total))
    .reduce((sum, value) => tf.add(sum, value))
}

interface LoadedMember {
  readonly network: Network
  readonly weights: TensorRecord
  readonly weight: number
}

/** A member's logits, over the views. */
const ask = (
  { network }: LoadedMember,
  weights: Readonly<Record<string, tf.Tensor>>,
  images: tf.Tensor4D,
  { ttaMean }: EnsembleConfig,
  views: ReadonlyArray<GraphView>
): tf.Tensor => {
  const said = views.map(({ flip }) => {
    const shown = flip ? tf.reverse(images, 2) : images
    return network.apply(weights, shown, { _tag: "Evaluation" }).logits
  })
  if (said.length === 1) return said[0]
  const shares = views.map(({ weight }) => weight)
  return ttaMean === "Logits"
    ? weightedMean(said, shares)
    : logOf(
        weightedMean(
          said.map((logits) => tf.softmax(logits as tf.Tensor2D)),
          shares
        )
      )
}

/** From the members' logits to the whole's, whose softmax are its probabilities. */
const combined = (
  { rule, temperature = 1 }: EnsembleConfig,
  said: ReadonlyArray<tf.Tensor>,
  weights: ReadonlyArray<number>
): tf.Tensor => {
  const whole =
    rule === "MeanLogits"
      ? weightedMean(said, weights)
      : logOf(
          weightedMean(
            said.map((logits) => tf.softmax(logits as tf.Tensor2D)),
            weights
          )
        )
  return temperature === 1 ? whole : tf.div(whole, temperature)
}

/**
 * Writes an ensemble, whose members all go into one graph, in the form of a single network (see `exportNetwork`). Its
 * `logits` are the logarithms of its probabilities, to a constant for each image.
 *
 * @errors ExportError where the rule or a view cannot be written as a graph; EnsembleError, DeviceError, StorageError
 */
export const exportEnsemble = Effect.fn("exportEnsemble")(function* (
  { config, data, members }: Ensemble,
  format: GraphFormat,
  out: string,
  { input }: { readonly input?: InputForm | undefined } = {}
) {
  yield* checkRule(config)
  const views = yield* viewsIn(config)
  const counted = members.filter(({ weight }) => weight > 0)
  for (const member of counted) yield* verifyMember(member)
  const loaded = yield* Effect.forEach(counted, (member) =>
    Effect.map(
      loadMember(member),
      ({ network, weights }): LoadedMember => ({ network, weights, weight: member.weight })
    )
  )
  const named = (m: number, name: string): string => `${m}/${name}`
  const { classes, mean, size, std } = data
  const graph = yield* frozenProgram(
    {
      ...{ mean, size, std },
      weights: Object.fromEntries(
        loaded.flatMap(({ weights }, m) =>
          Object.entries(weights).map(([name, value]) => [named(m, name), value])
        )
      ),
      run: (weights, images) => {
        const said = loaded.map((member, m) => {
          const own = member.network.tensors.map(({ name }) => [name, weights[named(m, name)]] as const)
          return ask(member, Object.fromEntries(own), images, config, views)
        })
        const logits = combined(
          config,
          said,
          loaded.map(({ weight }) => weight)
        )
        return { logits, probabilities: tf.softmax(logits as tf.Tensor2D) }
      }
    },
    input
  )
  const { rule, temperature } = config
  const metadata = {
    network: config.name,
    members: counted.map(({ name, weight }) => ({ name, weight })),
    ...{ rule, temperature: temperature ?? null, classes, size, mean, std, input: input ?? "nhwc" }
  }
  yield* writeGraph(format, graph, metadata, out)
})
