/** Finding this process's place among replicas: its rank, how many there are, and where they meet. */
import * as Result from "effect/Result"
import { type Environment, type Told, toldBy } from "./Discover/Launchers.ts"
import { ReplicaError } from "./Errors.ts"
import type { Share } from "./Share.ts"

/** A replica's place. */
export interface Place extends Share {
  /** Among the replicas on its machine. */
  readonly localIndex: number
  /** Where the first replica listens for the others. */
  readonly coordinator: { readonly host: string; readonly port: number }
}

/** What flags say. */
export interface Asked {
  readonly rank?: number | undefined
  readonly worldSize?: number | undefined
  readonly coordinator?: string | undefined
}

const contradiction = (message: string) => Result.fail(new ReplicaError({ reason: "Contradiction", message }))

const byFlags = ({ coordinator, rank, worldSize: size }: Asked): Told => ({
  by: "the flags",
  ...(rank !== undefined && { rank }),
  ...(size !== undefined && { size }),
  ...(coordinator !== undefined && { coordinator })
})

/** Launchers that start each other: the process belongs to that which started it last. */
const isWithin = (inner: Told, outer: Told, env: Environment): boolean =>
  (inner.by.startsWith("RANK") && env.TORCHELASTIC_RUN_ID !== undefined) ||
  (inner.by.startsWith("OMPI") && outer.by.startsWith("SLURM")) ||
  outer.by === "JOB_COMPLETION_INDEX"

/** Where two of what was told differ, in words. */
const differenceOf = (one: Told, other: Told): string | undefined => {
  for (const [key, what] of [
    ["rank", "rank"],
    ["size", "number of replicas"]
  ] as const) {
    const [a, b] = [one[key], other[key]]
    if (a !== undefined && b !== undefined && a !== b) {
      return `the ${what} of this process is ${a} by ${one.by}, but ${b} by ${other.by}`
    }
  }
  return undefined
}

const ADDRESS = /^([^:\s]+):(\d{1,5})$/

const addressIn = (text: string): Place["coordinator"] | undefined => {
  const [, host, port] = ADDRESS.exec(text) ?? []
  return host !== undefined && Number(port) <= 65_535 ? { host, port: Number(port) } : undefined
}

/** Open MPI within Slurm comes after it in the order, but is the launcher that counts. */
const inOrder = (env: Environment): ReadonlyArray<Told> => {
  const told = toldBy(env)
  const mpi = told.find(({ by }) => by.startsWith("OMPI"))
  const slurm = told.find(({ by }) => by.startsWith("SLURM"))
  return mpi === undefined || slurm === undefined ? told : told.filter((one) => one !== slurm)
}

/**
 * A process's place among replicas, from flags and environment; undefined where nothing speaks of others, or there are
 * none.
 */
export const discover = (flags: Asked, env: Environment): Result.Result<Place | undefined, ReplicaError> => {
  const launchers = inOrder(env)
  const asked = byFlags(flags)
  const given = Object.keys(asked).length > 1
  const told = given ? [asked, ...launchers] : launchers
  if (told.length === 0) return Result.succeed(undefined)
  for (const [i, other] of told.entries()) {
    for (const one of told.slice(0, i)) {
      const difference = isWithin(one, other, env) ? undefined : differenceOf(one, other)
      if (difference !== undefined) return contradiction(difference)
    }
  }
  const find = <Key extends keyof Told>(key: Key): Told[Key] | undefined =>
    told.find((one) => one[key] !== undefined)?.[key]
  const [rank, size] = [find("rank"), find("size")]
  const by = told.map((one) => one.by).join(" and ")
  if (size === 1 && (rank ?? 0) === 0) return Result.succeed(undefined)
  if (rank === undefined || size === undefined) {
    // A pod of an Indexed Job need not be a replica.
    if (!given && told.every((one) => one.by === "JOB_COMPLETION_INDEX")) return Result.succeed(undefined)
    const missing = rank === undefined ? "its rank" : "how many replicas there are"
    return contradiction(`this process is a replica by ${by}, but nothing says ${missing}`)
  }
  if (!(rank >= 0 && rank < size)) {
    return contradiction(
      `this process has the rank ${rank} of ${size} replicas by ${by}: ranks are 0 to ${size - 1}`
    )
  }
  const text = find("coordinator")
  if (text === undefined) {
    return contradiction(
      `this process is replica ${rank} of ${size} by ${by}, but nothing says where the first one listens`
    )
  }
  const coordinator = addressIn(text)
  if (coordinator === undefined) return contradiction(`${text} is not the address of a replica: HOST:PORT`)
  return Result.succeed({ index: rank, count: size, localIndex: find("localRank") ?? rank, coordinator })
}
