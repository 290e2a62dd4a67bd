/**
 * Observability: what a training shows to effect's tracers and metric exporters (OpenTelemetry, Prometheus). A span is
 * made only where a tracer was provided; a step's gauges cost a few microseconds.
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Tracer from "effect/Tracer"

/** Puts an effect into a span of that name and those attributes, where a tracer was provided. */
export const spanned =
  (
    name: "checkpoint" | "compile" | "epoch" | "evaluate" | "step",
    attributes: Readonly<Record<string, unknown>>
  ) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Tracer.Tracer, (tracer) =>
      tracer === Tracer.nativeTracer ? effect : Effect.withSpan(effect, `shakedrop.${name}`, { attributes })
    ) as Effect.Effect<A, E, R>

const gauge = (name: string, description: string) => Metric.gauge(`shakedrop_${name}`, { description })

const loss = gauge("loss", "Mean loss of the last step's batch")
const accuracy = gauge("accuracy", "Share of the last step's batch that was right")
const learningRate = gauge("learning_rate", "Learning rate of the last step")
const imagesPerSecond = gauge("images_per_second", "Images trained on in a second, of the last step")
const waitSeconds = gauge("wait_seconds", "Seconds that the last step waited for its batch")
const validationAccuracy = gauge(
  "validation_accuracy",
  "Accuracy on the validation split of the weights that are judged"
)
const memoryBytes = gauge("memory_bytes", "Resident memory of the process at the end of the last epoch")

export interface StepNumbers {
  readonly loss: number
  readonly accuracy: number
  readonly learningRate: number
  readonly images: number
  readonly seconds: number
  readonly waited: number
}

/** Updates the gauges of a step. */
export const observeStep = Effect.fnUntraced(function* (step: StepNumbers) {
  yield* Metric.update(loss, step.loss)
  yield* Metric.update(accuracy, step.accuracy)
  yield* Metric.update(learningRate, step.learningRate)
  yield* Metric.update(imagesPerSecond, step.images / step.seconds)
  yield* Metric.update(waitSeconds, step.waited)
})

/** Updates the gauges of an epoch; `accuracy` is undefined where it was not evaluated. */
export const observeEpoch = Effect.fnUntraced(function* (accuracy: number | undefined) {
  if (accuracy !== undefined) yield* Metric.update(validationAccuracy, accuracy)
  yield* Metric.update(memoryBytes, process.memoryUsage.rss())
})
