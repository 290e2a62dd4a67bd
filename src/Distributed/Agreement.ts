/** Whether replicas are of one training: what each has told is compared with what the first one has. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { configurationDifference } from "../Config/Overlay.ts"
import { ReplicaError } from "./Errors.ts"
import type { Met } from "./Rendezvous/Desk.ts"

/** What a replica tells before it has loaded anything. */
export const Joining = Schema.Struct({
  /** Of this library. */
  shakedrop: Schema.String,
  /** What it was asked to train. */
  asked: Schema.Record(Schema.String, Schema.Unknown),
  /** Where TensorFlow's server will listen. */
  port: Schema.Int,
  /** Of the first: what is trained, and whether that was begun before. */
  plan: Schema.optionalKey(
    Schema.Struct({ experiment: Schema.Unknown, smoke: Schema.Boolean, begun: Schema.Boolean })
  )
})
export type Joining = typeof Joining.Type

/** What a replica tells before it starts TensorFlow's server. */
export const Ready = Schema.Struct({
  tensorflow: Schema.String,
  /** `cpu` or `gpu`. */
  device: Schema.String,
  /** Of the data. */
  data: Schema.Struct({ name: Schema.String, fingerprint: Schema.String })
})
export type Ready = typeof Ready.Type

const differs = (message: string) => new ReplicaError({ reason: "Differs", message })

/** What replicas have told at a stage, decoded. */
export const decodeMet = <S extends Schema.Codec<unknown, unknown>>(schema: S, met: ReadonlyArray<Met>) =>
  Effect.forEach(met, ({ value }, index) =>
    Schema.decodeUnknownEffect(schema)(value).pipe(
      Effect.mapError(() => differs(`replica ${index} is of another version of this program than replica 0`))
    )
  ) as Effect.Effect<ReadonlyArray<S["Type"]>, ReplicaError>

/** The first difference between replicas in some respects, told in the same words on all of them. */
export const checkSame = <A>(
  met: ReadonlyArray<Met>,
  values: ReadonlyArray<A>,
  respectsOf: (value: A) => Readonly<Record<string, unknown>>
): Effect.Effect<void, ReplicaError> =>
  Effect.suspend(() => {
    const [first, ...others] = values.map(respectsOf)
    for (const [i, other] of others.entries()) {
      const [difference] = configurationDifference(first, other)
      if (difference === undefined) continue
      return Effect.fail(
        differs(
          `replica ${i + 1} (${met[i + 1].address}) is not of the training of replica 0 (${met[0].address}): ${difference}`
        )
      )
    }
    return Effect.void
  })
