/** Runs device programs of a test on the CPU. */
import type * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Device, type DeviceError, DeviceName, entryPoint } from "../../src/Device.ts"
import type { TensorRecord } from "../../src/Tensor/HostTensor.ts"

const device = Schema.decodeUnknownSync(DeviceName)(process.env.SHAKEDROP_TEST_DEVICE ?? "cpu")

/** Provides the CPU and a scope; or another device, to see what it computes, where SHAKEDROP_TEST_DEVICE names one. */
export const onCpu = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.scoped(effect).pipe(Effect.provide(Device.layer(device)))

/** Traces one function of named tensors, and runs it once on them. */
export const evaluate = <Output extends string>(
  input: TensorRecord,
  f: (input: Readonly<Record<string, tf.Tensor>>) => Readonly<Record<Output, tf.Tensor>>
): Effect.Effect<Readonly<Record<Output, TensorRecord[string]>>, DeviceError> =>
  onCpu(
    Effect.gen(function* () {
      const device = yield* Device
      const program = yield* device.compile(
        {},
        { f: entryPoint({ inputs: input, run: (_, values) => ({ output: f(values) }) }) }
      )
      return yield* program.run("f", input)
    })
  )
