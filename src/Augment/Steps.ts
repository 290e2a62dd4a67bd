/** The steps of augmentation. To add one: a file in `Step/`, and a line here. */
import { AlternatingFlip } from "./Step/AlternatingFlip.ts"
import { AutoAugment } from "./Step/AutoAugment.ts"
import { CutMix } from "./Step/CutMix.ts"
import { Cutout } from "./Step/Cutout.ts"
import { Mixup } from "./Step/Mixup.ts"
import { MixupCutMix } from "./Step/MixupCutMix.ts"
import { RandAugment } from "./Step/RandAugment.ts"
import { RandomCrop } from "./Step/RandomCrop.ts"
import { RandomErasing } from "./Step/RandomErasing.ts"
import { RandomHorizontalFlip } from "./Step/RandomHorizontalFlip.ts"
import { TrivialAugmentWide } from "./Step/TrivialAugmentWide.ts"

export const steps = [
  RandomCrop,
  RandomHorizontalFlip,
  AlternatingFlip,
  Cutout,
  RandomErasing,
  AutoAugment,
  RandAugment,
  TrivialAugmentWide,
  Mixup,
  CutMix,
  MixupCutMix
] as const
