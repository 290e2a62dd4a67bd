import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Device } from "../../src/Device.ts"
import { loadMember } from "../../src/Ensemble/Member.ts"
import { type Ensemble, memberOutputs, prepare } from "../../src/Ensemble.ts"
import { type HostTensor, sizeOf } from "../../src/Tensor/HostTensor.ts"
import { distance } from "../support/Fixtures.ts"
import { open, services, trainedBefore } from "./runs.ts"

const { copies } = trainedBefore({
  snapshots: { train: { epochs: 4, schedule: { _tag: "WarmRestarts", t0: 2 } } },
  other: { model: { width: 3 } }
})

const snapshot = (number: number) => ({ run: "snapshots", checkpoint: number })
const soupOf = (...numbers: ReadonlyArray<number>) => ({ soup: numbers.map(snapshot) })

const loaded = (ensemble: Ensemble) => Effect.provide(Effect.forEach(ensemble.members, loadMember), services)

describe("a soup", () => {
  it.effect("has the mean of its parameters, and batch statistics of its own", () =>
    Effect.gen(function* () {
      const ensemble = yield* open(yield* copies, [snapshot(1), snapshot(2), soupOf(1, 2), soupOf(1, 2, 2)])
      const [first, second, soup, three] = yield* loaded(ensemble)
      const mixed = (name: string, share: number): HostTensor => {
        const [a, b] = [first.weights[name], second.weights[name]]
        return { ...a, data: Float32Array.from(a.data, (value, i) => value + share * (b.data[i] - value)) }
      }
      let parameters = 0
      for (const { name, role, shape } of soup.network.tensors) {
        const value = soup.weights[name]
        if (role === "parameter") {
          assert.isAtMost(distance(value, mixed(name, 1 / 2)), 1e-6, name)
          assert.isAtMost(distance(three.weights[name], mixed(name, 2 / 3)), 1e-6, name)
          parameters += sizeOf(shape)
        } else {
          for (const { weights } of [first, second])
            assert.isAbove(distance(value, weights[name]), 1e-4, name)
          assert.isAbove(distance(value, mixed(name, 1 / 2)), 1e-4, name)
        }
      }
      assert.strictEqual(parameters, soup.network.parameters)
    })
  )

  it.effect("of the same weights twice is the member, but for how its statistics are measured", () =>
    Effect.gen(function* () {
      const ensemble = yield* open(yield* copies, [snapshot(2), soupOf(2, 2)])
      yield* Effect.provide(prepare(ensemble, "test"), services)
      const [own, soup] = yield* Effect.provide(memberOutputs(ensemble, "test"), services)
      const difference = own.values.map((value, i) => Math.abs(value - soup.values[i]))
      const spread = Math.max(...own.values) - Math.min(...own.values)
      assert.isBelow(Math.max(...difference), spread / 4)
      assert.isAbove(Math.max(...difference), 0)
    })
  )

  it.effect("is the same again, to the bit", () =>
    Effect.gen(function* () {
      const ensemble = yield* open(yield* copies, [soupOf(1, 2), soupOf(1, 2)])
      const [one, again] = yield* loaded(ensemble)
      assert.deepStrictEqual(one.weights, again.weights)
    })
  )

  it.effect("is of one network", () =>
    Effect.gen(function* () {
      const ensemble = yield* open(yield* copies, [{ soup: [snapshot(1), { run: "other" }] }])
      const error = yield* Effect.flip(loaded(ensemble))
      assert.strictEqual(error._tag, "EnsembleError")
      assert.match(error.message, /^a soup needs weights of one network, not of SimpleCNN-2 and SimpleCNN-3$/)
    })
  )

  it.effect("takes the data set", () =>
    Effect.gen(function* () {
      const ensemble = yield* open(yield* copies, [soupOf(1, 2)])
      const error = yield* Effect.flip(loadMember(ensemble.members[0])).pipe(
        Effect.provide(Device.layer("cpu"))
      )
      assert.match(
        error.message,
        /^the batch statistics of a soup are measured on its training images: [^\n]*$/
      )
    })
  )
})
