/** What replicas tell each other while they train, besides what TensorFlow carries: lines of JSON. */

/** How a replica ends: done, asked to by a signal, or with an error. */
export type Ending = "finished" | "interrupted" | "failed"

/** Why a training cannot go on: a replica's connection is gone, it says nothing any more, or it says that it ends. */
export type Verdict =
  | { readonly _tag: "Gone" | "Silent"; readonly index: number }
  | { readonly _tag: "Ended"; readonly index: number; readonly ending: Ending; readonly why: string }

export type Line =
  | { readonly _tag: "Hello"; readonly index: number; readonly secret: string | undefined }
  | { readonly _tag: "Beat" }
  | { readonly _tag: "End"; readonly ending: Ending; readonly why: string }
  | { readonly _tag: "Verdict"; readonly verdict: Verdict }

export interface VerdictContext {
  readonly addresses: ReadonlyArray<string>
  /** Seconds after which a replica counts as silent. */
  readonly silence: number
  /** Steps done. */
  readonly step: number
}

/** A verdict for people, in one line. */
export const describeVerdict = (verdict: Verdict, { addresses, silence, step }: VerdictContext): string => {
  const who = `replica ${verdict.index} (${addresses[verdict.index]})`
  const at = `at step ${step + 1}`
  switch (verdict._tag) {
    case "Gone":
      return `${who} was lost ${at}: its process is gone`
    case "Silent":
      return `${who} was lost ${at}: it has not answered for ${silence} s`
    case "Ended":
      return verdict.ending === "failed"
        ? `${who} failed ${at}: ${verdict.why}`
        : `${who} was ${verdict.ending} ${at}`
  }
}
