/** Replicas in one process: each has a server, a session and a graph of its own, and they meet over loopback. */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { Device } from "../../src/Device.ts"
import { freePort } from "../../src/Distributed/Address.ts"
import type { Share } from "../../src/Distributed.ts"

const serversOf = new Map<number, Promise<ReadonlyArray<Device["Service"]>>>()

/** A cluster lasts as long as its process, so that tests of a file share one. */
const start = async (count: number): Promise<ReadonlyArray<Device["Service"]>> => {
  const ports = await Effect.runPromise(Effect.all(Array.from({ length: count }, () => freePort)))
  const addresses = ports.map((port) => `127.0.0.1:${port}`)
  const deviceAt = (index: number) =>
    Effect.runPromise(
      Device.pipe(
        Effect.provide(
          Device.joined({ name: "cpu", localIndex: 0 }, () =>
            Effect.succeed({ addresses, index, unconfined: false })
          ) as Layer.Layer<Device>
        )
      )
    )
  return Promise.all(addresses.map((_, index) => deviceAt(index)))
}

/** Runs an effect for each of so many replicas at the same time, and gives what each gave. */
export const onReplicas = <A, E>(
  count: number,
  effect: (share: Share) => Effect.Effect<A, E, Device>
): Effect.Effect<ReadonlyArray<A>, E> =>
  Effect.gen(function* () {
    const started = serversOf.get(count) ?? start(count)
    serversOf.set(count, started)
    const devices = yield* Effect.promise(() => started)
    return yield* Effect.all(
      devices.map((device, index) => Effect.provideService(effect({ index, count }), Device, device)),
      { concurrency: "unbounded" }
    )
  })
