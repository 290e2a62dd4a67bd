/** The replicas of a training as a service: without others unless provided. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Share } from "./Share.ts"

export interface ReplicasShape {
  /** This replica's share of the work; undefined where there are no others. */
  readonly share: Share | undefined
  /** Whether the first replica continues a run. */
  readonly continues: boolean
  /** Says how many steps are done. */
  readonly at: (step: number) => void
  /** Says that from here on the others are no longer needed. */
  readonly closing: Effect.Effect<void>
  /** Has `abort` run once the training cannot go on because of others, to end what waits for them. */
  readonly onLost: (abort: Effect.Effect<void>) => Effect.Effect<void>
  /** Whether that is so. */
  readonly isLost: Effect.Effect<boolean>
}

export const Replicas = Context.Reference<ReplicasShape>("shakedrop/Replicas", {
  defaultValue: () => ({
    share: undefined,
    continues: false,
    at: () => {},
    closing: Effect.void,
    onLost: () => Effect.void,
    isLost: Effect.succeed(false)
  })
})

/** Whether this replica is the one that writes, or alone. */
export const isFirst = ({ share }: Pick<ReplicasShape, "share">): boolean =>
  share === undefined || share.index === 0
