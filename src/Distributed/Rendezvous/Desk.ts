/** The first replica's desk at the rendezvous: who has come to which stage, and what each that comes is answered. */
import * as Schema from "effect/Schema"
import { settled } from "../Address.ts"

/** What one replica has told, and the address that it told it from. */
export interface Met {
  readonly address: string
  readonly value: unknown
}

/** What a replica says at a stage. */
export const Hello = Schema.Struct({
  index: Schema.Int,
  count: Schema.Int,
  /** Tells processes of the same rank apart. */
  process: Schema.String,
  value: Schema.Unknown
})

export const Answer = Schema.Union([
  Schema.Struct({ met: Schema.Array(Schema.Struct({ address: Schema.String, value: Schema.Unknown })) }),
  Schema.Struct({ missing: Schema.Array(Schema.Int) }),
  Schema.Struct({ refused: Schema.String })
])
export type Answer = typeof Answer.Type

interface Guest extends Met {
  readonly process: string
  /** When it last asked, in milliseconds. */
  readonly seen: number
}

/** Milliseconds after which a process that no longer asks may be replaced by another one of its rank. */
const REPLACED = 5000

/** The stage of those that know what all have told at the stage that they name: the first replica waits for that. */
export const GOT = "got"

/** The stage of those that leave, and what they tell. */
export const LEAVE = "leave"
const Leaving = Schema.Struct({ why: Schema.String })
const isLeaving = Schema.is(Leaving)

/** Who has come to a stage. */
export interface Stage {
  readonly guests: Map<number, Guest>
  /** Those that know that all have. */
  readonly served: Set<number>
}

export const missingOf = ({ guests }: Stage, count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, i) => i).filter((i) => !guests.has(i))

/** `replica 2`, `replicas 1 and 2`. */
export const replicas = (indices: ReadonlyArray<number>): string =>
  indices.length === 1 ? `replica ${indices[0]}` : `replicas ${indices.join(" and ")}`

/** What the first replica keeps. */
export const makeDesk = (count: number) => {
  const stages = new Map<string, Stage>()
  /** Where replicas came from at any stage. */
  const addresses = new Map<number, string>()
  const stageOf = (name: string): Stage => {
    const stage = stages.get(name) ?? { guests: new Map(), served: new Set() }
    stages.set(name, stage)
    return stage
  }
  /** Who does not come, or is of no use, and how others are told. */
  let left: { readonly index: number; readonly text: string } | undefined
  const come = (name: string, address: string, hello: typeof Hello.Type): Answer => {
    const { index, process, value } = hello
    if (left !== undefined && left.index !== index) return { refused: left.text }
    if (name === GOT) {
      stageOf(String(value)).served.add(index)
      return { missing: [] }
    }
    if (name === LEAVE && isLeaving(value)) {
      left ??= { index, text: `replica ${index} (${address}) does not come: ${value.why}` }
      return { missing: [] }
    }
    if (hello.count !== count) {
      left = {
        index: -1,
        text: `replica ${index} (${address}) was told of ${hello.count} replicas, but replica 0 of ${count}`
      }
      return { refused: left.text }
    }
    const stage = stageOf(name)
    const known = stage.guests.get(index)
    const now = performance.now()
    const isKept = (guest: Guest) => missingOf(stage, count).length === 0 || now - guest.seen < REPLACED
    if (known !== undefined && known.process !== process && isKept(known)) {
      return { refused: `there are two processes of rank ${index}, at ${known.address} and ${address}` }
    }
    stage.guests.set(index, { address, process, value, seen: now })
    addresses.set(index, address)
    const missing = missingOf(stage, count)
    return missing.length > 0 ? { missing } : { met: metAt(stage) }
  }
  const metAt = ({ guests }: Stage): ReadonlyArray<Met> => {
    const all = Array.from({ length: count }, (_, i) => guests.get(i)!)
    const known = settled(all.map(({ address }) => address))
    return all.map(({ value }, i) => ({ address: known[i], value }))
  }
  return { addresses, come, stageOf }
}
