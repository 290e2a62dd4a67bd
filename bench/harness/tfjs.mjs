/**
 * Steps of one of our networks as in tfjs-node, in turns: the same network, entry point and libtensorflow as ours, but
 * tfjs's own ops (tfjs-ops.mjs), each dispatched from JavaScript. `node bench/harness/tfjs.mjs SPEC`, SPEC being JSON.
 */
import { register } from "node:module"
import * as Effect from "effect/Effect"
import { DTYPE, TF } from "../../dist/Device/Library/DataType.js"
import { loadLibrary } from "../../dist/Device/Load.js"
import { castToFloat } from "../../dist/Device/Trace/EntryPoint.js"
import { withRecorder } from "../../dist/Device/Trace/Recorder.js"
import { loadTfjs } from "../../dist/Device/Trace/Tfjs.js"
import { foundLibrary } from "../../dist/Device.js"
import { tfjsBinding } from "./tfjs-binding.mjs"
import { takeTurns } from "./turns.mjs"

register("./tfjs-ops-loader.mjs", import.meta.url)
const { prepare } = await import("./network.mjs")

/** An entry point as a function that runs its ops one by one, on variables that hold `state`. */
const interpret = ({ backend, binding, tf }, state, entry) => {
  const engine = tf.engine()
  const idOf = (tensor) => backend.getInputTensorIds([tensor])[0]
  const execute = (type, ids, attributes) =>
    binding.executeOp(
      type,
      attributes.map(({ kind, name, value }) => ({ name, type: kind, value })),
      ids
    )
  const dtypeOf = (value) => ({ kind: "type", name: "dtype", value })
  const feed = ({ data, dtype, shape }) => ({ id: binding.createTensor(shape, DTYPE[dtype], data) })

  const variables = Object.entries(state).map(([name, value]) => {
    const dtype = DTYPE[value.dtype]
    const attributes = [
      dtypeOf(dtype),
      { kind: "shape", name: "shape", value: value.shape },
      { kind: "string", name: "shared_name", value: name }
    ]
    const [handle] = execute("VarHandleOp", [], attributes)
    const initial = feed(value)
    execute("AssignVariableOp", [handle.id, initial.id], [dtypeOf(dtype)])
    binding.deleteTensor(initial.id)
    return { name, handle, dtype }
  })

  return (input) => {
    const kept = []
    const read = new Map()
    const updated = new Set()
    const tensorOf = (value) => backend.createOutputTensor(value)
    const outputOf = (tensor) => ({ id: idOf(tensor) })
    const add = (type, inputs, attributes) => ({
      outputs: execute(
        type,
        inputs.map(({ id }) => id),
        attributes
      )
    })
    const recorder = {
      // tfjs keeps values for its gradients, as ours does on a GPU.
      placement: "Gpu",
      record: (type, inputs, attributes) => add(type, inputs.map(outputOf), attributes).outputs.map(tensorOf),
      add,
      outputOf,
      tensorOf,
      tensorOnceUsed: (_like, make) => tensorOf(make()),
      variableOf: (tensor) => read.get(idOf(tensor)),
      updated: (variable) => updated.add(variable.name),
      keep: (tensor) => {
        kept.push(tensor)
        return tf.keep(tensor)
      }
    }
    engine.startScope("step")
    try {
      return withRecorder(recorder, () => {
        const inputs = Object.entries(input).map(([name, value]) => {
          const given = { ...feed(value), shape: value.shape, dtype: DTYPE[value.dtype] }
          if (given.dtype !== TF.UINT8) return [name, tensorOf(given)]
          const cast = castToFloat({ add }, given)
          binding.deleteTensor(given.id)
          return [name, tensorOf(cast)]
        })
        const values = variables.map((variable) => {
          const value = add("ReadVariableOp", [variable.handle], [dtypeOf(variable.dtype)])
          const tensor = tensorOf(value.outputs[0])
          read.set(idOf(tensor), { ...variable, read: value })
          return [variable.name, tensor]
        })
        const result = entry.run(Object.fromEntries(values), Object.fromEntries(inputs))
        for (const { dtype, handle, name } of variables) {
          const next = result.state?.[name]
          if (next === undefined || updated.has(name)) continue
          add("AssignVariableOp", [handle, outputOf(next)], [dtypeOf(dtype)])
        }
        return Object.fromEntries(
          Object.entries(result.output).map(([name, tensor]) => [name, tensor.dataSync()])
        )
      })
    } finally {
      engine.endScope()
      for (const tensor of kept) tensor.dispose()
    }
  }
}

const spec = JSON.parse(process.argv[2])

const measurement = Effect.gen(function* () {
  const api = yield* loadLibrary
  const binding = tfjsBinding(api, (yield* foundLibrary).file)
  const { entry, input, network, state } = prepare(spec)
  const { backend, name, tf } = loadTfjs(binding)
  tf.registerBackend(name, () => backend)
  tf.setBackend(name)
  const run = interpret({ backend, binding, tf }, state, entry)
  let alive
  const step = (index) =>
    Effect.sync(() => {
      run(input(index))
      alive ??= binding.getNumOfTensors()
      if (binding.getNumOfTensors() !== alive) throw new Error("a step leaves tensors behind")
    })
  yield* takeTurns(step, spec, () => ({ parameters: network.parameters }))
})

await Effect.runPromise(measurement)
