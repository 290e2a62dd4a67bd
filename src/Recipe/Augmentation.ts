/** Pipelines that several recipes share. */
import type { ExperimentInput } from "../Experiment.ts"

type Pipeline = ExperimentInput["augment"]

/** Random crop and flip: He et al. 2015, "Deep residual learning for image recognition", section 4.2. */
export const standard: Pipeline = [
  { _tag: "RandomCrop", padding: 4, mode: "reflect" },
  { _tag: "RandomHorizontalFlip" }
]

/** With AutoAugment's policy for CIFAR-10 and Cutout of 16 pixels: Cubuk et al. 2019, section 4.1. */
export const autoAugment: Pipeline = [
  { _tag: "RandomCrop", padding: 4, mode: "zero" },
  { _tag: "RandomHorizontalFlip" },
  { _tag: "AutoAugment", policy: "cifar10" },
  { _tag: "Cutout", length: 16 }
]

/** The series' pipeline from its second part on: all of that, and Mixup or CutMix for half of the batches. */
export const series: Pipeline = [
  ...standard,
  { _tag: "AutoAugment", policy: "cifar10" },
  { _tag: "Cutout", length: 16 },
  { _tag: "MixupCutMix", mixupAlpha: 0.2, cutMixAlpha: 1, p: 0.5 }
]
