/** Runs SavedModels with TensorFlow's own loader, through the C API. */
import { createRequire } from "node:module"
import * as Effect from "effect/Effect"
import type { Pointer, TFOutput } from "../../src/Device/Library/CApi.ts"
import { DTYPE } from "../../src/Device/Library/DataType.ts"
import { allocateTensor } from "../../src/Device/Library/Memory.ts"
import { loadLibrary } from "../../src/Device/Load.ts"
import { foundLibrary } from "../../src/Device.ts"
import { float32, type HostTensor } from "../../src/Tensor/HostTensor.ts"

/** The outputs of a SavedModel's graph, by the names of its nodes, for one input. */
export const runSavedModel = (
  directory: string,
  input: readonly [name: string, value: HostTensor],
  outputs: ReadonlyArray<string>
) =>
  Effect.gen(function* () {
    const api = yield* loadLibrary
    const { file } = yield* foundLibrary
    const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi")
    const library = koffi.load(file)
    const load = library.func(
      "void* TF_LoadSessionFromSavedModel(void* options, void* runOptions, const char* directory, const char** tags, int count, void* graph, void* metaGraph, void* status)"
    )
    const find = library.func("void* TF_GraphOperationByName(void* graph, const char* name)")
    const graph = api.TF_NewGraph()
    const status = api.TF_NewStatus()
    const checked = <A>(value: A): A => {
      if (api.TF_GetCode(status) !== 0) throw new Error(api.TF_Message(status))
      return value
    }
    const session: Pointer<"Session"> = checked(
      load(api.TF_NewSessionOptions(), null, directory, ["serve"], 1, graph, null, status)
    )
    const output = (name: string): TFOutput => ({ oper: find(graph, name), index: 0 })
    const [name, { data, dtype, shape }] = input
    const values = new Array<Pointer<"Tensor"> | null>(outputs.length).fill(null)
    yield* Effect.promise(
      () =>
        new Promise<void>((resolve, reject) =>
          api.TF_SessionRun.async(
            session,
            null,
            [output(name)],
            [allocateTensor(api, DTYPE[dtype], shape, data)],
            1,
            outputs.map(output),
            values,
            outputs.length,
            [],
            0,
            null,
            status,
            (error) => (error === null ? resolve() : reject(error))
          )
        )
    )
    checked(undefined)
    const results = values.map((tensor) => {
      const shape = Array.from({ length: api.TF_NumDims(tensor!) }, (_, i) => Number(api.TF_Dim(tensor!, i)))
      const bytes = new Uint8Array(Number(api.TF_TensorByteSize(tensor!)))
      api.memcpy(bytes, api.TF_TensorData(tensor!), bytes.length)
      return float32(shape, new Float32Array(bytes.buffer))
    })
    api.TF_CloseSession(session, status)
    api.TF_DeleteSession(session, status)
    return results
  })
