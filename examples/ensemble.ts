/**
 * Three small networks of two architectures, trained and combined within a larger Effect program: the images are its
 * own, and the numbers go where it wants them.
 *
 *   node examples/ensemble.ts
 *
 * takes Node 22.18 or newer, which runs TypeScript.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { draws } from "shakedrop/Augment"
import { Dataset, splitDataset } from "shakedrop/Data"
import { Device } from "shakedrop/Device"
import {
  decodeEnsemble,
  type EnsembleInput,
  evaluateEnsemble,
  openEnsemble,
  prepare,
  searchEnsemble,
  trainEnsemble
} from "shakedrop/Ensemble"
import { stream } from "shakedrop/Events"
import { describeData } from "shakedrop/Train"

const SIDE = 12
const classes = ["rows", "columns", "checks"]

/** Patterns in noise. */
const patterns = (count: number, stream: string) => {
  const random = draws(1, stream)
  const pixels = new Uint8Array(new SharedArrayBuffer(count * SIDE * SIDE * 3))
  const labels = Uint16Array.from({ length: count }, (_, i) => i % classes.length)
  let at = 0
  for (const label of labels) {
    const phase = random.int(4)
    for (let y = 0; y < SIDE; y++) {
      for (let x = 0; x < SIDE; x++) {
        const row = ((y + phase) >> 1) & 1
        const column = ((x + phase) >> 1) & 1
        const lit = [row, column, row ^ column][label]
        for (let channel = 0; channel < 3; channel++) pixels[at++] = 40 + 26 * lit + random.int(180)
      }
    }
  }
  return { images: { pixels, count, height: SIDE, width: SIDE }, labels }
}

/** Any images in memory serve as the data set. */
const Patterns = Layer.effect(
  Dataset,
  Effect.suspend(() =>
    splitDataset(
      { name: "patterns", classes, train: patterns(480, "train"), test: patterns(150, "test") },
      { validation: 120 }
    )
  )
)

const experiment = (model: unknown, seed: number) => ({
  name: "patterns",
  seed,
  model,
  augment: [{ _tag: "RandomHorizontalFlip" }],
  train: { epochs: 4, batchSize: 32, learningRate: 0.1, schedule: { _tag: "Cosine" } }
})

const runs = "runs/patterns"
const three: EnsembleInput = {
  name: "patterns",
  // What commands would take; this program brings its own.
  data: { dataset: "shapes" },
  members: [
    { run: `${runs}/cnn-1`, experiment: experiment({ _tag: "SimpleCnn", width: 8 }, 1) },
    { run: `${runs}/cnn-2`, experiment: experiment({ _tag: "SimpleCnn", width: 8 }, 2) },
    { run: `${runs}/wrn`, experiment: experiment({ _tag: "WideResNet", depth: 10, widenFactor: 1 }, 3) }
  ],
  tta: "flip"
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

/** Trains what is missing, finds weights on the validation images, and measures the whole on the test images. */
const program = Effect.gen(function* () {
  const command = "node examples/ensemble.ts"
  const data = describeData(yield* Dataset)
  const config = yield* decodeEnsemble(three)
  // What happens meanwhile is a stream: who reads it may draw the numbers, store them or send them on.
  yield* Stream.runForEach(stream(trainEnsemble(config, { command })), (event) => {
    if (event._tag !== "Epoch") return Effect.void
    const { accuracy, epoch, trainLoss } = event.metrics
    return Console.log(
      `epoch ${epoch}: loss ${trainLoss.toFixed(3)}, validation ${percent(accuracy.raw ?? 0)}`
    )
  })

  const equal = yield* openEnsemble(config, data)
  yield* prepare(equal, "validation")
  const found = yield* openEnsemble(yield* searchEnsemble(equal, "convex"), data)
  yield* prepare(found, "test")
  const { report } = yield* evaluateEnsemble(found, { split: "test", command })
  for (const { accuracy, name, weight } of report.members) {
    yield* Console.log(`${name}: ${percent(accuracy)}, weight ${weight.toFixed(2)}`)
  }
  yield* Console.log(`together: ${percent(report.whole.accuracy)} of ${report.images} test images`)
})

const layers = Layer.mergeAll(Device.layer("auto"), Patterns)
await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(layers)))
