import { readdirSync, readFileSync } from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Checkpoints } from "../../src/Checkpoint.ts"
import { merge } from "../../src/Config.ts"
import { decodeExperiment } from "../../src/Experiment.ts"
import { runsOn, temporary } from "../support/Runs.ts"
import { dataset, tiny } from "./runs.ts"

const { interrupted, run } = runsOn(dataset)

const experiment = (change: unknown = {}) =>
  decodeExperiment(
    merge(merge(tiny, { train: { epochs: 4, keep: 4, schedule: { _tag: "WarmRestarts", t0: 2 } } }), change)
  )

/** The snapshots' files, with their contents. */
const snapshotsOf = (folder: string) =>
  readdirSync(path.join(folder, "checkpoints"))
    .filter((name) => name.startsWith("snapshot-"))
    .sort()
    .map((name) => [name, readFileSync(path.join(folder, "checkpoints", name)).toString("base64")])

const checkpointsOf = (folder: string) =>
  Effect.provide(Checkpoints, Checkpoints.layer(path.join(folder, "checkpoints")))

/** A snapshot's counters, step and tensors. */
const snapshot = (folder: string, number: number) =>
  Effect.gen(function* () {
    const { checkpoint } = yield* (yield* checkpointsOf(folder)).find(number)
    return Option.getOrThrow(checkpoint)
  })

describe("snapshots", () => {
  it.live("are the weights at the end of each cycle, kept for good, and the same after an interruption", () =>
    Effect.gen(function* () {
      const [whole, parts, shorter] = [yield* temporary, yield* temporary, yield* temporary]
      const config = yield* experiment()
      yield* run(config, whole)
      assert.deepStrictEqual(
        snapshotsOf(whole).map(([name]) => name),
        ["0000006", "0000012"].flatMap((step) => [`snapshot-${step}.json`, `snapshot-${step}.safetensors`])
      )
      const first = yield* snapshot(whole, 1)
      assert.deepStrictEqual([first.step, first.counters], [6, { epoch: 2 }])
      // The weights of that step, as a run of one cycle ends with them.
      yield* run(yield* experiment({ train: { epochs: 2 } }), shorter)
      const { checkpoint } = yield* (yield* checkpointsOf(shorter)).find("latest")
      const { tensors } = Option.getOrThrow(checkpoint)
      for (const [name, value] of Object.entries(first.tensors))
        assert.deepStrictEqual(value, tensors[name], name)
      const last = yield* snapshot(whole, 2)
      assert.strictEqual(last.step, 12)
      assert.notDeepEqual(last.tensors, first.tensors)
      assert.isTrue(Option.isNone((yield* (yield* checkpointsOf(whole)).find(3)).checkpoint))

      // Within the first cycle, and within the second.
      yield* interrupted(config, parts, 4, false)
      yield* interrupted(config, parts, 4, true)
      yield* run(config, parts, { resume: true })
      assert.deepStrictEqual(snapshotsOf(parts), snapshotsOf(whole))
    })
  )

  it.live("are kept of schedules with restarts alone", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      yield* run(yield* decodeExperiment(tiny), folder)
      assert.deepStrictEqual(snapshotsOf(folder), [])
    })
  )
})
