/** Making batches in the calling thread. */
import * as Effect from "effect/Effect"
import { AugmentError } from "../Errors.ts"
import type { Step } from "../Step/Step.ts"
import { batchMemory } from "./BatchMemory.ts"
import { describeTrace, makeTrace } from "./Breadcrumbs.ts"
import { type BatchSource, type BatchTask, batchMaker } from "./MakeBatch.ts"
import type { Maker } from "./Ways.ts"

/** A maker that fails, naming the image and the operation, where one of them throws. */
export const makeInline = (source: BatchSource, steps: ReadonlyArray<Step>): Maker => {
  const trace = makeTrace()
  const { recycle, take } = batchMemory(source, (bytes) => new ArrayBuffer(bytes))
  const make = batchMaker(source, trace, steps)
  const attempt = (task: BatchTask) =>
    Effect.try({
      try: () => {
        const arrays = take()
        make(task, arrays)
        return arrays
      },
      catch: (cause) => {
        const names = source.pipeline.map(({ _tag }) => _tag)
        const message = `${describeTrace(trace, names)}: ${(cause as Error).message}`
        return new AugmentError({ reason: "Step", message, cause })
      }
    })
  return { make: attempt, recycle }
}
