/**
 * What members say of images: logits for each view, computed once and kept beside the member's run, so that every
 * other combination of them is a matter of milliseconds.
 */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { splitNamed } from "../Data/Split.ts"
import type { LoadedDataset, Split, SplitName } from "../Data.ts"
import { Device } from "../Device.ts"
import { publish } from "../Events.ts"
import { exists, readFile, writeFileAtomic } from "../Platform/Files.ts"
import { sha256 } from "../Platform/Hash.ts"
import { VERSION } from "../Platform/Version.ts"
import { float32 } from "../Tensor/HostTensor.ts"
import { decode, encode } from "../Tensor/Safetensors.ts"
import { predict } from "../Train/Evaluate/Logits.ts"
import { show, type View } from "../Train/Evaluate/View.ts"
import { precisionOf } from "../Train/Probe/Precision.ts"
import { imagesOf } from "../Train/Start/Network.ts"
import { evaluationEntry } from "../Train/Step/EntryPoints.ts"
import { type Outputs, softmax, weightedMean } from "./Combine.ts"
import { EnsembleError } from "./Errors.ts"
import { loadMember, type Member } from "./Member.ts"
import { logProbabilities } from "./Search/Temperature.ts"

/** A member's outputs for a view of a split's images, and the file that they are kept in. */
interface Kept {
  readonly member: Member
  readonly split: Split
  readonly view: View
  readonly file: string
}

/** Where outputs are kept; the name depends on everything that they do. */
const keptFor = (
  member: Member,
  dataset: LoadedDataset,
  name: SplitName,
  views: ReadonlyArray<View>
): ReadonlyArray<Kept> => {
  const split = dataset[name]
  const images = sha256([dataset.fingerprint, split.indices])
  return views.map((view) => {
    const key = sha256([member.key, images, view.key]).slice(0, 20)
    return { member, split, view, file: path.join(member.folder, `${name}-${key}.safetensors`) }
  })
}

/** Logits [images,classes] from a file; none where there is none, it is damaged, or another version wrote it. */
const read = Effect.fnUntraced(function* ({ file, split }: Kept) {
  if (!(yield* exists(file))) return Option.none<Outputs>()
  const bytes = yield* readFile(file)
  const decoded = yield* Effect.option(Effect.try({ try: () => decode(bytes), catch: () => "damaged" }))
  if (Option.isNone(decoded)) return Option.none<Outputs>()
  const { metadata, tensors } = decoded.value
  const logits = tensors.logits
  const images = split.indices.length
  const whole = logits?.shape.length === 2 && logits.shape[0] === images
  // Another version may compute otherwise: images scaled, views made or networks run in another way.
  const ours = metadata.shakedrop === VERSION
  if (!whole || !ours || metadata.sha256 !== sha256([logits.data])) return Option.none<Outputs>()
  return Option.some<Outputs>({ images, classes: logits.shape[1], values: logits.data as Float32Array })
})

const write = (
  { file, member, view }: Kept,
  { classes, images, values }: Outputs,
  { name, tensorflow }: Device["Service"]
) =>
  writeFileAtomic(
    file,
    encode(
      { logits: float32([images, classes], values) },
      {
        ...{ member: member.name, view: view.key, sha256: sha256([values]) },
        ...{ shakedrop: VERSION, tensorflow, device: name }
      }
    )
  )

/** Computes outputs that are missing, with the member's weights on the device once for all of them. */
const compute = Effect.fn("computeOutputs")(function* (
  member: Member,
  missing: ReadonlyArray<Kept>,
  onView: () => Effect.Effect<void>
) {
  const device = yield* Device
  const { dataset: trainedOn, experiment, network, weights } = yield* loadMember(member)
  const images = imagesOf(experiment, trainedOn)
  const program = yield* device.compile(
    weights,
    { evaluate: evaluationEntry(network, images) },
    { precision: precisionOf(experiment) }
  )
  const { batchSize, size } = images
  const { classes } = network
  for (const kept of missing) {
    const { split, view } = kept
    const { data } = yield* predict(
      split,
      { batchSize, classes, show: (pixels, numbers) => show(view, pixels, size, numbers) },
      (images) => Effect.map(program.run("evaluate", { images }), ({ logits }) => logits)
    )
    yield* write(kept, { images: split.indices.length, classes, values: data }, device)
    yield* onView()
  }
}, Effect.scoped)

/** Which outputs of members have not been computed yet, by member. */
export const missingOutputs = Effect.fnUntraced(function* (
  members: ReadonlyArray<Member>,
  dataset: LoadedDataset,
  split: SplitName,
  views: ReadonlyArray<View>
) {
  yield* splitNamed(dataset, split)
  const missing = yield* Effect.forEach(members, (member) =>
    Effect.filter(keptFor(member, dataset, split, views), (kept) => Effect.map(read(kept), Option.isNone))
  )
  return members.flatMap((member, i) => (missing[i].length > 0 ? [{ member, missing: missing[i] }] : []))
})

/** Computes what is missing, one member after another; what was computed before an interruption stays. */
export const computeOutputs = Effect.fnUntraced(function* (
  missing: Effect.Success<ReturnType<typeof missingOutputs>>,
  name: SplitName
) {
  const views = missing.reduce((sum, { missing }) => sum + missing.length, 0)
  let done = 0
  for (const { member, missing: own } of missing) {
    yield* compute(member, own, () =>
      Effect.suspend(() => {
        done++
        return publish({ _tag: "View", images: own[0].split.indices.length, split: name, done, total: views })
      })
    )
  }
})

/** The mean over the views of a member, as logits. */
export const overViews = (
  outputs: ReadonlyArray<Outputs>,
  views: ReadonlyArray<View>,
  ttaMean: "Logits" | "Probabilities"
): Outputs => {
  if (outputs.length === 1) return outputs[0]
  const weights = views.map(({ weight }) => weight)
  return ttaMean === "Logits"
    ? weightedMean(outputs, weights)
    : logProbabilities(
        weightedMean(
          outputs.map((logits) => softmax(logits)),
          weights
        )
      )
}

/**
 * A member's logits for a split, from the outputs that are kept.
 *
 * @errors EnsembleError where some are missing
 */
export const readOutputs = Effect.fnUntraced(function* (
  member: Member,
  dataset: LoadedDataset,
  split: SplitName,
  views: ReadonlyArray<View>,
  ttaMean: "Logits" | "Probabilities"
) {
  const kept = yield* Effect.forEach(keptFor(member, dataset, split, views), (kept) =>
    Effect.flatMap(read(kept), (outputs) =>
      Option.isSome(outputs)
        ? Effect.succeed(outputs.value)
        : new EnsembleError({
            reason: "NotPrepared",
            message: `what ${member.name} says of the ${split} images has not been computed: prepare the ensemble first`
          })
    )
  )
  return overViews(kept, views, ttaMean)
})
