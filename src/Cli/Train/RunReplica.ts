/** `shakedrop train` as one of several replicas: joins the others, and trains with them. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Dataset } from "../../Data.ts"
import { Device } from "../../Device.ts"
import {
  isFirst,
  type Joined,
  type Meeting,
  openMeeting,
  type Place,
  type Planned,
  Replicas
} from "../../Distributed.ts"
import { Events } from "../../Events.ts"
import { decodeExperiment } from "../../Experiment.ts"
import { VERSION } from "../../Platform/Version.ts"
import { findRecipe } from "../../Recipe.ts"
import { type Asked, folderOf, type Plan, planNew, planResumed } from "../../Train/Plan.ts"
import { describeData, RunFolder, train } from "../../Train.ts"
import { commandLine } from "../Shared/CommandLine.ts"
import type { TrainInput } from "./Flags.ts"
import { datasetOf, trainAndTell } from "./TrainAndTell.ts"

/** Of what is asked for, what must be the same for all: not where the data and the folder lie. */
const comparable = ({ assignments, file, recipe, smoke, values }: Asked, { resume }: TrainInput) => {
  const { data, ...rest } = (values ?? {}) as { readonly data?: { readonly directory?: string } }
  const { directory: _, ...named } = data ?? {}
  return {
    ...{ recipe, file, smoke, resume, ...rest, data: named },
    set: Object.fromEntries(
      (assignments ?? []).flatMap((assignment) => {
        const [key, ...value] = assignment.split("=")
        return key === "data.directory" ? [] : [[key, value.join("=")]]
      })
    )
  }
}

/** Has a second signal end the process at once: the first one asks all replicas to save and stop together. */
const endOnSecondSignal = Effect.acquireRelease(
  Effect.sync(() => {
    let signals = 0
    const count = (): void => {
      signals++
      if (signals > 1) process.kill(process.pid, "SIGKILL")
    }
    for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, count)
    return count
  }),
  (count) =>
    Effect.sync(() => {
      for (const signal of ["SIGINT", "SIGTERM"]) process.off(signal, count)
    })
)

/** Has replicas end as by a signal when what started them on this machine is gone. */
const endWithLauncher = Effect.sync(() => {
  if (process.send === undefined) return
  process.on("disconnect", () => process.kill(process.pid, "SIGTERM"))
  process.channel?.unref()
})

/** The device, joined to those of the others once the data are there. */
const deviceOf = (joined: Joined, { localIndex, index }: Place, { device, openPort }: TrainInput) =>
  Device.joined({ name: device, localIndex }, ({ name, tensorflow }) =>
    Effect.gen(function* () {
      const { fingerprint, name: dataset } = describeData(yield* Dataset)
      const found = { tensorflow, device: name.split(":")[0], data: { name: dataset, fingerprint } }
      return { addresses: yield* joined.ready(found), index, unconfined: openPort }
    })
  )

const optionsOf = ({ joinTimeout, lostAfter }: TrainInput) => ({
  timeout: joinTimeout,
  silence: lostAfter,
  secret: process.env.SHAKEDROP_SECRET
})

/** What everybody does, with the plan of the first. */
const partake = Effect.fnUntraced(function* <A, E, R>(
  joined: Joined,
  place: Place,
  {
    input,
    plan,
    training
  }: { readonly plan: Plan; readonly input: TrainInput; readonly training: Effect.Effect<A, E, R> }
) {
  return yield* training.pipe(
    Effect.provide(Layer.provideMerge(deviceOf(joined, place, input), datasetOf(plan))),
    Effect.provideService(Replicas, joined.replicas)
  )
})

/** The first replica: it has the run's folder, and tells of the run. */
const lead = Effect.fnUntraced(function* ({ join }: Meeting, place: Place, input: TrainInput, asked: Asked) {
  const plan = yield* input.resume ? planResumed(asked) : planNew(asked, findRecipe)
  yield* Effect.gen(function* () {
    const { begun, directory } = yield* RunFolder
    process.send?.({ directory })
    const planned: Planned = { experiment: plan.experiment, smoke: plan.smoke, begun: Option.isSome(begun) }
    const told = { asked: comparable(asked, input), plan: planned, version: VERSION }
    const joined = yield* join(told)
    yield* Console.error(`replica 0 of ${place.count}`)
    yield* partake(joined, place, { plan, input, training: trainAndTell(plan, input) })
  }).pipe(Effect.scoped, Effect.provide(folderOf(plan)))
})

/** Any other replica: it writes nothing and tells nothing but its errors. */
const follow = Effect.fnUntraced(
  function* ({ join }: Meeting, place: Place, input: TrainInput, asked: Asked) {
    const told = { asked: comparable(asked, input), version: VERSION }
    const joined = yield* join(told)
    const { experiment: encoded, smoke } = joined.plan
    const decoded = yield* decodeExperiment(encoded)
    const directory = Option.getOrUndefined(input.directory)
    const experiment =
      directory === undefined ? decoded : { ...decoded, data: { ...decoded.data, directory } }
    const plan: Plan = { experiment, smoke, folder: { continues: "" } }
    const options = {
      command: commandLine(),
      workers: input.workers,
      profile: Option.getOrUndefined(input.profile)
    }
    yield* partake(joined, place, { plan, input, training: train(experiment, options) }).pipe(
      Effect.provide(RunFolder.none)
    )
  },
  Effect.scoped,
  Effect.provideService(Events, { publish: () => {} })
)

/** Trains as the replica of a place. */
export const runReplica = Effect.fn("runReplica")(function* (place: Place, input: TrainInput, asked: Asked) {
  yield* endOnSecondSignal
  yield* endWithLauncher
  const meeting = yield* openMeeting(place, optionsOf(input))
  const work = isFirst({ share: place }) ? lead : follow
  yield* meeting.attend(work(meeting, place, input, asked))
}, Effect.scoped)
