import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { decodeEnsemble, teachersOf } from "../../src/Ensemble.ts"

const ensemble = (members: ReadonlyArray<unknown>) =>
  decodeEnsemble({ name: "some", data: { dataset: "shapes" }, members })

it.effect("members teach with their weights and checkpoints, those without weight do not", () =>
  Effect.gen(function* () {
    const members = [
      { run: "a", weight: 2, recipe: "quickstart", experiment: { seed: 3 } },
      { run: "b", weight: 0 },
      { run: "c", checkpoint: 2, weights: "ema" }
    ]
    assert.deepStrictEqual(yield* teachersOf(yield* ensemble(members)), [
      { run: "a", weight: 2 },
      { run: "c", checkpoint: 2, weights: "ema", weight: 1 }
    ])
    const soup = yield* ensemble([{ soup: [{ run: "a" }, { run: "b" }] }])
    const error = yield* Effect.flip(teachersOf(soup))
    assert.match(error.message, /a soup, as some has one, cannot teach/)
  })
)
