/** A session on a library that has no room. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Graph } from "../../src/Device/Graph/Graph.ts"
import type { Signature } from "../../src/Device/Graph/Types.ts"
import type { CApi } from "../../src/Device/Library/CApi.ts"
import { Session } from "../../src/Device/Session/Session.ts"
import { float32 } from "../../src/Tensor/HostTensor.ts"

/** A library whose tensors and status objects are numbers, and which counts those that are alive. */
const library = (room: number, bytes = 4) => {
  const alive = new Set<unknown>()
  let next = 1
  const made = (): unknown => {
    alive.add(next)
    return next++
  }
  const gone = (one: unknown): void => {
    assert.isTrue(alive.delete(one), "nothing is deleted twice")
  }
  const functions = {
    TF_NewStatus: made,
    TF_DeleteStatus: gone,
    TF_GetCode: () => 0,
    TF_Message: () => "",
    TF_NewSessionOptions: made,
    TF_DeleteSessionOptions: gone,
    TF_SetConfig: () => {},
    TF_NewSession: () => "session",
    TF_AllocateTensor: () => (alive.size > room ? null : made()),
    TF_DeleteTensor: gone,
    TF_TensorData: () => "memory",
    TF_TensorByteSize: (tensor: number) => (tensor % 2 === 0 ? bytes : 4),
    TF_TensorType: () => 1,
    TF_NumDims: () => 1,
    TF_Dim: () => 1,
    memcpy: () => {},
    TF_SessionRun: {
      async: (...args: ReadonlyArray<unknown>) => {
        const outputs = args[6] as Array<unknown>
        outputs.forEach((_, i) => {
          outputs[i] = made()
        })
        queueMicrotask(() => (args.at(-1) as (error: null) => void)(null))
      }
    }
  }
  const api = functions as unknown as CApi
  return { alive, session: Session.open({ api, pointer: "graph" } as unknown as Graph, new Uint8Array()) }
}

const one = { output: { oper: "op", index: 0 } }
const signature = {
  ...{ doing: "run it", feeds: [one, one, one], fetches: [one, one, one], targets: [] }
} as unknown as Signature
const values = [1, 2, 3].map((value) => float32([1], Float32Array.of(value)))

it.effect("a run leaves nothing in the library's memory, also where there is no room for a tensor", () =>
  Effect.gen(function* () {
    const enough = library(10)
    assert.lengthOf(yield* enough.session.run(signature, values), 3)
    assert.strictEqual(enough.alive.size, 0)
    for (const [{ alive, session }, reason] of [
      [library(2), "Tensor"],
      [library(10, 1e17), "JavaScript"]
    ] as const) {
      const error = yield* Effect.flip(session.run(signature, values))
      assert(error._tag === "OutOfMemory")
      assert.strictEqual(error.reason, reason)
      assert.strictEqual(alive.size, 0)
    }
  })
)
