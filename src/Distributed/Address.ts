/** Addresses of this machine. */
import { lookup } from "node:dns/promises"
import { createServer } from "node:net"
import { networkInterfaces } from "node:os"
import * as Effect from "effect/Effect"
import { ReplicaError } from "./Errors.ts"

const LOOPBACK = "127.0.0.1"

const isLoopback = (address: string): boolean => address.startsWith("127.")

/** The first address that other machines may know. */
const outward = (): string | undefined =>
  Object.values(networkInterfaces())
    .flat()
    .find((entry) => entry?.family === "IPv4" && !entry.internal)?.address

/** Every address of this machine. */
const ANY = "0.0.0.0"

/**
 * The IPv4 address of this machine under the name by which others look for it. Some systems give their own name a
 * loopback address, which nobody else can reach: it listens on every address then, until it is known where the others
 * are.
 */
export const ownAddress = (host: string): Effect.Effect<string, ReplicaError> =>
  Effect.tryPromise({
    try: () => lookup(host, { family: 4 }),
    catch: () =>
      new ReplicaError({
        reason: "Address",
        message: `there is no IPv4 address of ${host}, where replica 0 listens`
      })
  }).pipe(
    Effect.map(({ address }) =>
      isLoopback(address) && host !== "localhost" && !isLoopback(host) ? ANY : address
    )
  )

/**
 * Addresses by which all replicas reach each other, from those that the first one, which comes first, has seen: those of
 * loopback where all are on this machine, and otherwise what other machines may know in their place.
 */
export const settled = (seen: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (seen[0] !== ANY) return seen
  const others = seen.slice(1)
  const own = others.every(isLoopback) ? LOOPBACK : (outward() ?? LOOPBACK)
  return [own, ...others.map((address) => (isLoopback(address) ? own : address))]
}

/** A port that nothing listens on. */
export const freePort: Effect.Effect<number> = Effect.callback((resume) => {
  const server = createServer().listen(0, () => {
    const { port } = server.address() as { readonly port: number }
    server.close(() => resume(Effect.succeed(port)))
  })
})
