/** What a model has done since it was loaded, in the words of Triton's statistics extension. */
import type { Batch } from "./Batching.ts"

/** Seconds of a request's stages. */
export interface Stages {
  readonly queue: number
  readonly preprocessing: number
  readonly device: number
  readonly postprocessing: number
}

/** How often, and how many nanoseconds in all. */
interface Total {
  count: number
  ns: number
}

const total = (): Total => ({ count: 0, ns: 0 })

const add = (to: Total, seconds: number): void => {
  to.count++
  to.ns += Math.round(seconds * 1e9)
}

export const makeStatistics = () => {
  const stages = {
    success: total(),
    fail: total(),
    queue: total(),
    compute_input: total(),
    compute_infer: total(),
    compute_output: total()
  }
  const batches = new Map<number, Total>()
  let images = 0
  let executions = 0
  let last = 0

  return {
    batch: ({ images: count, seconds }: Batch): void => {
      executions++
      const ofSize = batches.get(count) ?? total()
      batches.set(count, ofSize)
      add(ofSize, seconds)
    },
    succeeded: (count: number, { device, postprocessing, preprocessing, queue }: Stages): void => {
      images += count
      last = Date.now()
      add(stages.success, device + postprocessing + preprocessing + queue)
      add(stages.queue, queue)
      add(stages.compute_input, preprocessing)
      add(stages.compute_infer, device)
      add(stages.compute_output, postprocessing)
    },
    failed: (seconds: number): void => add(stages.fail, seconds),
    report: () => ({
      last_inference: last,
      inference_count: images,
      execution_count: executions,
      inference_stats: stages,
      batch_stats: Array.from(batches)
        .sort(([a], [b]) => a - b)
        .map(([batch_size, compute_infer]) => ({ batch_size, compute_infer }))
    })
  }
}
export type Statistics = ReturnType<typeof makeStatistics>
