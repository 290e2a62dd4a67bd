import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { Device } from "../../src/Device.ts"
import { trainEnsemble } from "../../src/Ensemble.ts"
import { writeReport } from "../../src/Report.ts"
import { heard, heardSteps } from "../support/Events.ts"
import { newest, temporary } from "../support/Runs.ts"
import { decoded, services, tiny, withData } from "./runs.ts"

const { data: _, ...experiment } = tiny

/** Members that say what is trained. */
const members = [
  { run: "a", experiment },
  { run: "b", experiment: { ...experiment, model: { _tag: "SimpleCnn", width: 3 } } },
  { run: "b", checkpoint: "latest", weight: 2 }
]

const options = {
  command: "train them",
  whenTrained: writeReport
}

const trained = (folder: string, those: Parameters<typeof decoded>[1] = members) =>
  Effect.flatMap(decoded(folder, those), (config) => trainEnsemble(config, options)).pipe(
    Effect.scoped,
    Effect.provide(services)
  )

/** All files of a run, by name, with their contents and when they were written. */
const filesOf = (folder: string, run: string) =>
  readdirSync(path.join(folder, run), { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => path.join(folder, run, name))
    .filter((file) => statSync(file).isFile())
    .map((file) => [file, statSync(file).mtimeMs, readFileSync(file).toString("base64")])

describe("trainEnsemble", () => {
  it.live("trains each run once, and leaves those alone that are finished", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      yield* trained(folder, members.slice(0, 1))
      const finished = filesOf(folder, "a")
      yield* trained(folder)
      assert.deepStrictEqual(filesOf(folder, "a"), finished)
      for (const name of ["result.json", "report.html", "config.json", "metrics.jsonl", "checkpoints"])
        assert.isTrue(existsSync(path.join(folder, "b", name)), name)
      const result = JSON.parse(readFileSync(path.join(folder, "b", "result.json"), "utf8"))
      assert.strictEqual(result.command, "train them")
      const { experiment } = JSON.parse(readFileSync(path.join(folder, "b", "config.json"), "utf8"))
      assert.deepStrictEqual([experiment.model.width, experiment.data.dataset], [3, "shapes"])
      // Everything is there: no device is needed.
      yield* Effect.flatMap(decoded(folder, members), (config) => trainEnsemble(config, options)).pipe(
        Effect.provide(Layer.merge(withData(), Device.layerTest()))
      )
      assert.sameMembers(readdirSync(folder), ["a", "b"])
    })
  )

  it.live("is not done with a run before what is done with it is", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const config = yield* decoded(folder, members.slice(0, 1))
      const failing = { command: "train them", whenTrained: () => Effect.fail("no room for a report") }
      const problem = yield* Effect.flip(Effect.provide(trainEnsemble(config, failing), services))
      assert.strictEqual(problem, "no room for a report")
      assert.isFalse(existsSync(path.join(folder, "a", "result.json")))
      yield* trained(folder, members.slice(0, 1))
      for (const name of ["result.json", "report.html"])
        assert.isTrue(existsSync(path.join(folder, "a", name)))
    })
  )

  it.live("goes on with a run that was begun, and ends with the bits of one that was not interrupted", () =>
    Effect.gen(function* () {
      const [whole, parts] = [yield* temporary, yield* temporary]
      yield* trained(whole)
      const said: Array<string> = []
      const config = yield* decoded(parts, members)
      let steps = 0
      let reached = (): void => {}
      const fifth = new Promise<void>((resolve) => {
        reached = resolve
      })
      const training = trainEnsemble(config, options).pipe(
        heard((event) => {
          if (event._tag === "Message") said.push(event.text.replaceAll(parts, "FOLDER"))
          // In the second run.
          if (event._tag === "Step" && ++steps === 5) reached()
        }),
        Effect.provide(services)
      )
      const fiber = yield* Effect.forkChild(training)
      yield* Effect.promise(() => fifth)
      yield* Fiber.interrupt(fiber)
      assert.isTrue(existsSync(path.join(parts, "a", "result.json")))
      assert.isFalse(existsSync(path.join(parts, "b", "result.json")))
      yield* training
      for (const run of ["a", "b"])
        assert.isTrue(newest(path.join(whole, run)).equals(newest(path.join(parts, run))))
      assert.deepStrictEqual(
        said.filter((text) => text.includes("FOLDER")),
        ["training FOLDER/a", "training FOLDER/b", "going on with FOLDER/b"]
      )
    })
  )

  const wrong: ReadonlyArray<readonly [what: string, member: Record<string, unknown>, told: RegExp]> = [
    [
      "an experiment is wrong",
      { run: "c", experiment: { ...experiment, train: { ...experiment.train, epochs: 0 } } },
      /train\.epochs: expected a value greater than or equal to 1, got 0/
    ],
    ["an experiment lacks something", { run: "c", experiment: { name: "c" } }, /model is missing/],
    ["a recipe is unknown", { run: "c", recipe: "none" }, /there is no recipe none: there are quickstart/],
    [
      "nothing says what to train",
      { run: "c" },
      /there is no finished run in FOLDER\/c, and its member does not say what to train there/
    ],
    [
      "a soup's run is not there",
      {
        soup: [
          { run: "a", checkpoint: 1 },
          { run: "c", checkpoint: 1 }
        ]
      },
      /no finished run in FOLDER\/c/
    ],
    [
      "two members say different things of one run",
      { run: "a", experiment: { ...experiment, seed: 9 } },
      /members say different things of what is trained in FOLDER\/a: seed: not set → 9/
    ]
  ]
  it.live.each(wrong)("starts nothing where %s", ([, member, told]) =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const error = yield* Effect.flip(trained(folder, [...members, member]))
      assert.match(error.message.replaceAll(folder, "FOLDER"), told)
      assert.notInclude(error.message, "\n")
      assert.deepStrictEqual(readdirSync(folder), [])
    })
  )

  it.live("starts nothing where a run that was begun is of another experiment", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const config = yield* decoded(folder, members.slice(1))
      let begun = (): void => {}
      const first = new Promise<void>((resolve) => {
        begun = resolve
      })
      const fiber = yield* Effect.forkChild(
        trainEnsemble(config, options).pipe(
          heardSteps(() => begun()),
          Effect.provide(services)
        )
      )
      yield* Effect.promise(() => first)
      yield* Fiber.interrupt(fiber)
      const changed = [members[0], { run: "b", experiment: { ...experiment, seed: 9 } }]
      const error = yield* Effect.flip(trained(folder, changed))
      assert.match(error.message, /the run in .*b has another configuration \(.*seed: 1 → 9/)
      assert.deepStrictEqual(readdirSync(folder), ["b"])
    })
  )
})
