/** What other programs (PyTorch, timm, Keras, Hugging Face) call a thing: names without case, hyphens and underscores. */
import { closest, spoken } from "./Suggest.ts"

/** Keys, each with those that mean it elsewhere. */
const KEYS: Readonly<Record<string, string>> = {
  "train.learningRate": "lr baselr initlr initiallr maxlr peaklr eta",
  "train.epochs": "epoch nepochs numepochs maxepochs numtrainepochs",
  "train.batchSize": "batch bs trainbatchsize perdevicetrainbatchsize imagesperbatch",
  "train.optimizer": "opt optim",
  "train.optimizer.weightDecay": "wd decay l2",
  "train.optimizer.momentum": "mom",
  "train.schedule": "sched scheduler lrscheduler lrschedule lrschedulertype",
  "train.schedule.warmupEpochs": "warmup warmuplr",
  "train.schedule.etaMin": "minlr",
  "train.loss": "criterion lossfn",
  "train.labelSmoothing": "smoothing labelsmoothingfactor",
  "train.clipGradNorm": "clip clipgrad gradclip gradientclip maxnorm maxgradnorm clipnorm",
  "train.precision": "amp dtype fp16 bf16 mixedprecision halfprecision",
  "train.gradientAccumulationSteps":
    "gradaccum gradaccumsteps accumiter accumulationsteps accumulategradbatches",
  "train.ema": "modelema",
  "train.ema.decay": "emadecay modelemadecay",
  "train.evaluateEvery": "evalinterval valinterval evalevery checkvaleverynepoch",
  "train.initialWeights": "pretrained initialcheckpoint finetune startfrom",
  "train.tta": "testtimeaugmentation",
  "train.distillation.teachers": "teacher teachers",
  "train.xla": "compile jit",
  model: "arch architecture net network backbone",
  "model.classes": "numclasses nclasses nbclasses",
  "model.width": "channels basewidth numfilters filters",
  "model.depth": "layers numlayers nlayers",
  "model.widenFactor": "k widthfactor wideningfactor",
  "model.growth": "growthrate",
  "model.dropRate": "dropout drop droprate",
  augment: "transform transforms augs aug aa pipeline",
  "data.dataset": "dataname",
  "data.directory": "datadir datapath dataroot root path folder imagefolder",
  "data.size": "imgsize imagesize inputsize resolution imgsz",
  "data.validation": "valsplit validationsplit nval valsize holdout",
  seed: "randomseed manualseed randomstate",
  name: "runname experiment experimentname"
}

const keyMeant = new Map(
  Object.entries(KEYS).flatMap(([key, others]) => others.split(" ").map((other) => [other, key] as const))
)

/** Values, each with what means it elsewhere. */
const VALUES: Readonly<Record<string, string>> = {
  VisionTransformer: "vit vitb16",
  WideResNet: "wrn",
  bfloat16: "bf16 fp16 float16 half amp mixed",
  float32: "fp32 full",
  validation: "valid dev",
  test: "eval evaluation holdout"
}

const valueMeant = new Map(
  Object.entries(VALUES).flatMap(([value, others]) =>
    others.split(" ").map((other) => [other, value] as const)
  )
)

/** The value that is meant by one that is not among those that there are. */
export const meantValue = (value: string, among: ReadonlyArray<string>): string | undefined => {
  const synonym = valueMeant.get(spoken(value))
  return synonym !== undefined && among.includes(synonym) ? synonym : closest(value, among)
}

const last = (path: string): string => path.slice(path.lastIndexOf(".") + 1)

/**
 * The key that is meant by one that is not known; `beside` are the keys at its place and `all` those of the whole, as
 * `train.learningRate`. Another program's name comes first, then a slip of the keyboard, then the same key elsewhere.
 */
export const meantKey = (
  path: string,
  beside: ReadonlyArray<string>,
  all: ReadonlyArray<string>
): string | undefined => {
  const name = last(path)
  const parent = path.slice(0, path.length - name.length)
  const synonym = keyMeant.get(spoken(name))
  if (synonym !== undefined && all.includes(synonym)) return synonym
  const near = closest(name, beside)
  if (near !== undefined) return parent + near
  const wanted = spoken(name)
  const same = all.find((key) => spoken(last(key)) === wanted)
  return same ?? all.find((key) => last(key) === closest(name, all.map(last)))
}
