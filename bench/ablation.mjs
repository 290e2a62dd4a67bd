/**
 * What each ingredient of a part of the series brings, at a scale that two cores train in minutes: the same network,
 * images, epochs and seed, one change at a time.
 *
 *   node bench/ablation.mjs PART DATA_DIR OUT
 *
 * DATA_DIR is CIFAR-10 as a folder of images; each run gets a folder in OUT, and one that is finished there is not
 * trained again. Run `npm run build` before. Prints a row of a Markdown table for each run.
 * `speedrun` is no part of the series, but the recipe of that name at half its width on 10,000 images.
 */
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"

const [part, data, out] = process.argv.slice(2)

const crop = { _tag: "RandomCrop", padding: 4, mode: "reflect" }
const flip = { _tag: "RandomHorizontalFlip" }
const standard = [crop, flip]
const autoAugment = { _tag: "AutoAugment", policy: "cifar10" }
const cutout = { _tag: "Cutout", length: 16 }
const mixUp = { _tag: "Mixup", alpha: 0.2 }
const cutMix = { _tag: "CutMix", alpha: 1, p: 0.5 }

/** 5,000 training images; nothing is selected on the others, and the last weights are measured on the test images. */
const base = {
  name: "ablation",
  data: { dataset: "folder", directory: data, validation: 45000 },
  augment: standard,
  model: { _tag: "SimpleCnn", width: 16 },
  train: {
    epochs: 24,
    batchSize: 128,
    learningRate: 0.1,
    schedule: { _tag: "Cosine", warmupEpochs: 1 },
    evaluateEvery: 24
  }
}

/** Deeper networks for fewer epochs. */
const deep = { ...base, train: { ...base.train, epochs: 8, evaluateEvery: 8 } }

const speedrun = {
  ...base,
  data: { ...base.data, validation: 40000 },
  augment: [{ _tag: "RandomCrop", padding: 2, mode: "reflect" }, { _tag: "AlternatingFlip" }],
  model: { _tag: "Airbench", widths: [32, 128, 128] },
  train: {
    epochs: 16,
    batchSize: 250,
    optimizer: { _tag: "Muon", learningRate: 0.17, sgd: { momentum: 0.85, weightDecay: 0 } },
    learningRate: 0.75,
    paramGroups: { norm: { lrMultiplier: 64 }, bias: { lrMultiplier: 64 } },
    labelSmoothing: 0.2,
    schedule: { _tag: "Linear" },
    evaluateEvery: 16,
    precision: "bfloat16",
    tta: "airbench",
    progressiveResizing: [
      { until: 4, scale: 0.5 },
      { until: 9, scale: 0.75 }
    ]
  }
}

const bases = { 3: deep, 6: deep, speedrun }

const pyramid = { _tag: "PyramidNet", block: "basic", depth: 20, alpha: 24 }
const shake = (survival, ranges = "paper") => ({ shakeDrop: { survival, ranges } })

const parts = {
  1: {
    "16 channels": {},
    "8 channels": { model: { _tag: "SimpleCnn", width: 8 } },
    "32 channels": { model: { _tag: "SimpleCnn", width: 32 } },
    "no weight decay": { train: { optimizer: { _tag: "Sgd", weightDecay: 0 } } },
    "constant learning rate": {
      train: { schedule: { _tag: "Linear", warmupEpochs: 0, startFactor: 1, endFactor: 1 } }
    }
  },
  2: {
    nothing: { augment: [] },
    crop: { augment: [crop] },
    "crop + flip": {},
    "crop + flip + Cutout": { augment: [...standard, cutout] },
    "crop + flip + AutoAugment": { augment: [...standard, autoAugment] },
    "crop + flip + Mixup": { augment: [...standard, mixUp] },
    "crop + flip + CutMix": { augment: [...standard, cutMix] },
    "all of them": {
      augment: [
        ...standard,
        autoAugment,
        cutout,
        { _tag: "MixupCutMix", mixupAlpha: 0.2, cutMixAlpha: 1, p: 0.5 }
      ]
    }
  },
  3: {
    "PreActResNet-20": { model: { _tag: "PreActResNet", depth: 20 } },
    "PyramidNet-20 α24": { model: pyramid },
    "PyramidNet-20 α48": { model: { ...pyramid, alpha: 48 } },
    "PyramidNet-32 α24": { model: { ...pyramid, depth: 32 } }
  },
  4: {
    "cosine, nothing else": {},
    "label smoothing 0.1": { train: { labelSmoothing: 0.1 } },
    "EMA 0.99": { train: { ema: { decay: 0.99 } } },
    "SWA of the last 6 epochs": { train: { swa: { start: 19 } } },
    "LongTraining schedule": { train: { schedule: { _tag: "LongTraining", warmupEpochs: 1 } } },
    "one cycle": { train: { schedule: { _tag: "OneCycle" } } },
    "steps at 12 and 18": { train: { schedule: { _tag: "Step", milestones: [12, 18] } } },
    "SAM ρ 0.05": { train: { sam: { rho: 0.05 } } },
    "Muon 0.05": { train: { optimizer: { _tag: "Muon", learningRate: 0.05 } } },
    "taught by 32 channels": {
      train: { distillation: { teachers: [path.join(out ?? "", "part1", "32-channels")] } }
    }
  },
  6: {
    "PyramidNet-20 α24": { model: pyramid },
    "ShakeDrop, survival 0.8": { model: { ...pyramid, ...shake(0.8) } },
    "ShakeDrop, survival 0.5": { model: { ...pyramid, ...shake(0.5) } },
    "ShakeDrop, survival 0.5, the series' ranges": { model: { ...pyramid, ...shake(0.5, "series") } }
  },
  speedrun: {
    "the recipe": {},
    "whole images throughout": { train: { progressiveResizing: undefined } },
    "whole images, two thirds of the epochs": { train: { progressiveResizing: undefined, epochs: 10 } },
    "random flips": { augment: [speedrun.augment[0], flip] },
    "no crop": { augment: [speedrun.augment[1]] },
    "no label smoothing": { train: { labelSmoothing: 0 } },
    "SGD in place of Muon": {
      train: { optimizer: { _tag: "Sgd", momentum: 0.85 }, learningRate: 0.2, paramGroups: undefined }
    },
    float32: { train: { precision: "float32" } }
  }
}

if (parts[part] === undefined || out === undefined) {
  console.error(`usage: node bench/ablation.mjs ${Object.keys(parts).join("|")} DATA_DIR OUT`)
  process.exit(1)
}

const main = fileURLToPath(new URL("../dist/Main.js", import.meta.url))
const folder = path.join(out, `part${part}`)
mkdirSync(folder, { recursive: true })
const percent = (share) => (100 * share).toFixed(2)

const start = bases[part] ?? base
const viewed = start.train.tta !== undefined
console.log(
  `| change | test accuracy, % (95 % interval) |${viewed ? " with six views |" : ""} training time |`
)
console.log(`|---|---|${viewed ? "---|" : ""}---|`)
for (const [name, change] of Object.entries(parts[part])) {
  const run = path.join(folder, name.replace(/[^\p{L}\d.]+/gu, "-"))
  const file = `${run}.json`
  writeFileSync(file, JSON.stringify({ ...start, ...change, train: { ...start.train, ...change.train } }))
  if (!existsSync(path.join(run, "result.json"))) {
    const resume = existsSync(path.join(run, "config.json")) ? ["--resume"] : []
    execFileSync(process.execPath, [main, "train", "--config", file, "--out", run, ...resume], {
      stdio: ["ignore", "ignore", "inherit"]
    })
  }
  const result = JSON.parse(readFileSync(path.join(run, "result.json"), "utf8"))
  const { accuracy, interval, overViews } = result
  const cells = [name, `${percent(accuracy)} (${interval.map(percent).join(" to ")})`]
  if (viewed) cells.push(percent(overViews.accuracy))
  cells.push(`${Math.round(result.trainSeconds)} s`)
  console.log(`| ${cells.join(" | ")} |`)
}
