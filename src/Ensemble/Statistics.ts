/** Everything that is reported of an ensemble that was measured on images with labels. */
import type { SplitName } from "../Data.ts"
import { measure } from "../Train/Evaluate/Measures.ts"
import { wilsonInterval } from "../Train/Run/Interval.ts"
import { type CombinationRule, type Outputs, predictions, softmax } from "./Combine.ts"
import { logProbabilities, negativeLogLikelihood } from "./Search/Temperature.ts"
import { allWrong, correctness, disagreement, errorCorrelation } from "./Statistics/Agreement.ts"
import { type Calibration, calibrationOf } from "./Statistics/Calibration.ts"
import { mcNemar } from "./Statistics/McNemar.ts"
import { differenceInterval, type Interval } from "./Statistics/Newcombe.ts"
import { accuracyBySize, equallyWeighted, type SizeAccuracy } from "./Statistics/Size.ts"

/** What an ensemble said about images of a split, and how it came about. */
export interface MeasuredEnsemble {
  readonly dataset: string
  readonly split: SplitName
  /** Names of the classes of the data. */
  readonly classes: ReadonlyArray<string>
  /** Of each image, in the split's order. */
  readonly labels: Uint16Array
  readonly rule: CombinationRule
  readonly members: ReadonlyArray<{
    readonly name: string
    /** As in `weightedMean`. */
    readonly weight: number
    readonly probabilities: Outputs
  }>
  /** Class scores of the whole, as `combine` gives them. */
  readonly scores: Outputs
  /** By which the logarithms of these scores are divided to make them agree with accuracy; null where none was fitted. */
  readonly temperature: number | null
  /** How members, weights and temperature were chosen, in words that can stand after "Chosen: ". */
  readonly selection: string
  readonly seed: number
  readonly command: string
}

export interface MemberReport {
  readonly name: string
  /** Share of the sum of all weights. */
  readonly weight: number
  readonly accuracy: number
  /** 95 % confidence interval: Wilson's, as a run's own. */
  readonly interval: Interval
  /** Mean cross entropy (nats); that of the whole is with its temperature, where it has one. */
  readonly loss: number
}

/** The whole beside the member that is most accurate on the same images. */
export interface Gain {
  readonly best: string
  /** Accuracy of the whole minus that of this member, with its 95 % interval: Newcombe's for pairs. */
  readonly difference: number
  readonly interval: Interval
  /** Images that only one of the two classifies right. */
  readonly onlyWhole: number
  readonly onlyBest: number
  /** Of McNemar's test, two-sided. */
  readonly p: number
}

/** An image, by its position in the split, and what the whole takes it for. */
export interface ImageReport {
  readonly position: number
  readonly label: number
  readonly predicted: number
  /** Score of the predicted class, with the temperature. */
  readonly probability: number
}

/** A plain value, as it is in JSON. */
export interface EnsembleReport {
  readonly dataset: string
  readonly split: SplitName
  readonly images: number
  /** Names of the members' classes. */
  readonly classes: ReadonlyArray<string>
  readonly rule: CombinationRule
  readonly selection: string
  readonly temperature: number | null
  readonly seed: number
  readonly command: string
  readonly members: ReadonlyArray<MemberReport>
  readonly whole: Omit<MemberReport, "name" | "weight"> & {
    readonly top5: number
    /** Images by true class (row) and predicted class (column). */
    readonly confusion: ReadonlyArray<ReadonlyArray<number>>
  }
  readonly gain: Gain
  /** Of the whole; `after` with the temperature, null where there is none. */
  readonly calibration: { readonly before: Calibration; readonly after: Calibration | null }
  /** Share of images that two members take for different classes. */
  readonly disagreement: ReadonlyArray<ReadonlyArray<number>>
  /** φ coefficients of being right; null where a member is right about all images or none. */
  readonly errorCorrelation: ReadonlyArray<ReadonlyArray<number | null>>
  /** Accuracy of the members with equal weights, by how many they are. */
  readonly sizes: ReadonlyArray<SizeAccuracy>
  /** Images that every member gets wrong. */
  readonly allWrong: ReadonlyArray<ImageReport>
}

/** Statistics of an ensemble. Those that are random depend on the seed alone. */
export const ensembleStatistics = (ensemble: MeasuredEnsemble): EnsembleReport => {
  const { command, dataset, labels, rule, scores, seed, selection, split, temperature } = ensemble
  const images = labels.length
  const total = ensemble.members.reduce((sum, { weight }) => sum + weight, 0)
  const predicted = ensemble.members.map(({ probabilities }) => predictions(probabilities))
  const correct = predicted.map((classes) => correctness(classes, labels))
  const members = ensemble.members.map(({ name, probabilities, weight }, m) => {
    const right = correct[m].reduce((sum, right) => sum + right, 0)
    return {
      name,
      weight: weight / total,
      accuracy: right / images,
      interval: wilsonInterval(right, images),
      loss: negativeLogLikelihood(probabilities, labels)
    }
  })

  const ofWhole = predictions(scores)
  const correctWhole = correctness(ofWhole, labels)
  // All but its loss is the same for scores as for logits.
  const { accuracy, confusion, correct: right, top5 } = measure(scores.values, labels, scores.classes)
  const before = calibrationOf(scores, labels)
  const answers = temperature === null ? scores : softmax(logProbabilities(scores), temperature)
  const after = temperature === null ? null : calibrationOf(answers, labels)
  const best = members.reduce(
    (chosen, member, m) => (member.accuracy > members[chosen].accuracy ? m : chosen),
    0
  )
  const { onlyFirst, onlySecond, p } = mcNemar(correctWhole, correct[best])
  return {
    dataset,
    split,
    images,
    classes: Array.from({ length: scores.classes }, (_, k) => ensemble.classes[k] ?? `class ${k}`),
    rule,
    selection,
    temperature,
    seed,
    command,
    members,
    whole: {
      accuracy,
      interval: wilsonInterval(right, images),
      loss: (after ?? before).loss,
      top5,
      confusion
    },
    gain: {
      best: members[best].name,
      difference: accuracy - members[best].accuracy,
      interval: differenceInterval(correctWhole, correct[best]),
      onlyWhole: onlyFirst,
      onlyBest: onlySecond,
      p
    },
    calibration: { before, after },
    disagreement: disagreement(predicted),
    errorCorrelation: errorCorrelation(correct),
    sizes: accuracyBySize(
      members.length,
      equallyWeighted(
        rule,
        ensemble.members.map(({ probabilities }) => logProbabilities(probabilities)),
        labels
      ),
      seed
    ),
    allWrong: allWrong(correct).map((position) => ({
      position,
      label: labels[position],
      predicted: ofWhole[position],
      probability: answers.values[position * scores.classes + ofWhole[position]]
    }))
  }
}
