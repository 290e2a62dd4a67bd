import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { decodeStrictly } from "../../src/Config/Decode.ts"
import { published } from "../../src/Model/Catalogue.ts"
import { ModelConfig, makeNetwork } from "../../src/Model.ts"

it.effect("every network of the catalogue is a whole configuration with a name of its own", () =>
  Effect.gen(function* () {
    const names = new Set<string>()
    for (const { config } of published) {
      assert.deepStrictEqual(yield* decodeStrictly(ModelConfig, config), config)
      names.add(makeNetwork(config, { classes: 10, size: { height: 32, width: 32 } }).name)
    }
    assert.strictEqual(names.size, published.length)
  })
)
