/** Progress of a training: a live bar on a terminal, a line now and then elsewhere, and a line that stays for each epoch. */
import type * as Clock from "effect/Clock"
import type { EpochMetrics, StepProgress } from "../../Events.ts"
import type { Terminal } from "../../Platform/StatusLine.ts"
import { formatSeconds, percent } from "../../Platform/Text.ts"

/** Milliseconds between two states of the live line, and between two lines within an epoch elsewhere. */
const LIVE_EVERY = 100
const PLAIN_EVERY = 30_000

/** Characters of the bar, where there is room. */
const BAR = 24

/** Weight of a step in the moving averages that are shown. */
const RECENT = 0.05

const aligned = (share: number): string => percent(share).padStart(8)

const rate = (perSecond: number): string =>
  `${perSecond >= 100 ? Math.round(perSecond).toLocaleString("en-GB") : perSecond.toPrecision(2)} images/s`

const bar = (share: number, width: number): string => {
  const full = Math.round(share * width)
  return "━".repeat(full) + "─".repeat(width - full)
}

/** What is shown of an epoch that is done. */
const epochLine = (metrics: EpochMetrics, epochs: number | undefined): string => {
  const { accuracy, epoch, imagesPerSecond, lr, seconds, trainAccuracy, trainLoss } = metrics
  const of =
    epochs === undefined ? String(epoch) : `${String(epoch).padStart(String(epochs).length)}/${epochs}`
  return [
    `epoch ${of}`,
    `loss ${trainLoss.toFixed(4)}`,
    `train ${aligned(trainAccuracy)}`,
    ...Object.entries(accuracy).flatMap(([weights, value]) =>
      value === null ? [] : [`${weights === "raw" ? "validation" : weights} ${aligned(value)}`]
    ),
    `lr ${lr.toPrecision(3)}`,
    rate(imagesPerSecond),
    formatSeconds(seconds)
  ].join("  ")
}

export interface TrainingProgress {
  readonly step: (progress: StepProgress) => void
  readonly epoch: (metrics: EpochMetrics) => void
}

/** Shows the progress of a training on a terminal. */
export const trainingProgress = (terminal: Terminal, clock: Clock.Clock): TrainingProgress => {
  const now = (): number => clock.currentTimeMillisUnsafe()
  const every = terminal.live ? LIVE_EVERY : PLAIN_EVERY
  let shown = terminal.live ? -Infinity : now()
  let epochs: number | undefined
  let steps = 0
  let first = 0
  let cost = 0
  let last = 0
  let loss = 0
  let accuracy = 0
  let stepSeconds = 0

  /** The state after a step; the time left is that of what is left at the mean pace since the first step. */
  const describe = (at: StepProgress): string => {
    const { costLeft, epoch, images, learningRate, step, stepsPerEpoch } = at
    const pace = (last - first) / 1000 / cost
    const head = `epoch ${epoch + 1}/${at.epochs}`
    const fields = [
      `${String(step).padStart(String(stepsPerEpoch).length)}/${stepsPerEpoch}`,
      ...(steps > 1 ? [`${formatSeconds(costLeft * pace)} left`] : []),
      `loss ${loss.toFixed(4)}`,
      `accuracy ${aligned(accuracy)}`,
      `lr ${learningRate.toPrecision(3)}`,
      ...(steps > 1 ? [rate(images / stepSeconds)] : [])
    ]
    if (!terminal.live) return [head, ...fields].join("  ")
    // On a narrow terminal the bar goes first, then the last fields.
    const room = (): number => terminal.columns() - 1 - [head, ...fields].join("  ").length
    while (room() < 0 && fields.length > 1) fields.pop()
    const width = Math.min(BAR, room() - 2)
    return [head, ...(width >= 8 ? [bar(step / stepsPerEpoch, width)] : []), ...fields].join("  ")
  }

  return {
    step: (at) => {
      const time = now()
      epochs = at.epochs
      steps++
      // The first step, in which the device prepares itself, is left out of the pace.
      if (steps === 1) first = time
      else {
        const seconds = (time - last) / 1000
        cost += at.cost
        stepSeconds += Math.max(RECENT, 1 / (steps - 1)) * (seconds - stepSeconds)
      }
      last = time
      const weight = Math.max(RECENT, 1 / steps)
      loss += weight * (at.loss - loss)
      accuracy += weight * (at.accuracy - accuracy)
      if (time - shown < every) return
      shown = time
      if (terminal.live) terminal.rewrite(describe(at))
      else terminal.print(describe(at))
    },
    epoch: (metrics) => {
      shown = terminal.live ? -Infinity : now()
      // The time of the evaluation is no step's.
      last = now()
      terminal.print(epochLine(metrics, epochs))
    }
  }
}
