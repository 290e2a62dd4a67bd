/** The numbers of a run that it is sorted and filtered by. */
import { judged } from "../Train.ts"
import type { WatchedRun } from "./Runs.ts"

export interface Accuracy {
  readonly value: number
  readonly split: string
  /** 95 % confidence interval, of a finished run's. */
  readonly interval?: readonly [number, number]
}

/** By epoch, on the validation images with the weights that the run is judged by; null where it was not evaluated. */
export const validationAccuracies = ({ config, metrics }: WatchedRun): ReadonlyArray<number | null> => {
  if (config === undefined) return []
  const weights = judged(config.experiment.train)
  return metrics.map(({ accuracy }) => accuracy[weights] ?? accuracy.raw ?? null)
}

/** That on the test images, or before the end the best one on the validation images. */
export const accuracyOf = (run: WatchedRun): Accuracy | undefined => {
  if (run.result !== undefined) {
    const { accuracy, interval, split } = run.result
    return { value: accuracy, split, interval }
  }
  const known = validationAccuracies(run).filter((accuracy) => accuracy !== null)
  return known.length === 0 ? undefined : { value: Math.max(...known), split: "validation" }
}

/** Of training, in seconds. */
export const secondsOf = ({ metrics, result }: WatchedRun): number | undefined =>
  result?.trainSeconds ??
  (metrics.length === 0 ? undefined : metrics.reduce((sum, { seconds }) => sum + seconds, 0))

/** Epochs done, and those that there will be. */
export const epochsOf = ({ config, metrics }: WatchedRun) => ({
  done: metrics.at(-1)?.epoch ?? 0,
  of: config?.experiment.train.epochs ?? 0
})

/** Seconds until the last epoch of a run that is trained, as fast as its last ones. */
export const secondsLeft = (run: WatchedRun): number | undefined => {
  const { done, of } = epochsOf(run)
  const recent = run.metrics.slice(-5)
  if (run.state !== "training" || recent.length === 0) return undefined
  return ((of - done) * recent.reduce((sum, { seconds }) => sum + seconds, 0)) / recent.length
}
