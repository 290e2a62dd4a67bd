/** The numbers of an event, by the names that loggers give them. */
import type { Event } from "../Events.ts"

export interface Scalars {
  /** Steps since the run's start. */
  readonly step: number
  readonly values: ReadonlyArray<readonly [name: string, value: number]>
}

const present = (values: Readonly<Record<string, number | null>>): Scalars["values"] =>
  Object.entries(values).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]))

/**
 * Steps since the start that an event stands at; undefined where it is of no step. Steps of an epoch are counted from
 * its start.
 */
export const stepOf = (event: Event): number | undefined => {
  switch (event._tag) {
    case "Step":
      return event.epoch * event.stepsPerEpoch + event.step
    case "Epoch":
      return event.metrics.step
    default:
      return undefined
  }
}

/** Undefined where an event has no numbers. */
export const scalarsOf = (event: Event): Scalars | undefined => {
  const step = stepOf(event)
  if (step === undefined) return undefined
  switch (event._tag) {
    case "Step": {
      const { accuracy, learningRate, loss } = event
      return {
        step,
        values: present({ "step/loss": loss, "step/accuracy": accuracy, "step/learning_rate": learningRate })
      }
    }
    case "Epoch": {
      const { accuracy, imagesPerSecond, lr, seconds, trainAccuracy, trainLoss, valLoss, waitShare } =
        event.metrics
      const values = {
        "epoch/train_loss": trainLoss,
        "epoch/train_accuracy": trainAccuracy,
        "epoch/validation_loss": valLoss,
        "epoch/learning_rate": lr,
        "epoch/images_per_second": imagesPerSecond,
        "epoch/seconds": seconds,
        "epoch/wait_share": waitShare,
        ...Object.fromEntries(
          Object.entries(accuracy).map(([weights, value]) => [`epoch/validation_accuracy/${weights}`, value])
        )
      }
      return { step, values: present(values) }
    }
    default:
      return undefined
  }
}
