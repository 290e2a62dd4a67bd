/** What is wrong with a configuration, in a user's words. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { closest, editDistance } from "../src/Config/Decode/Suggest.ts"
import { decodeStrictly, merge, parseAssignment } from "../src/Config.ts"
import { decodeExperiment } from "../src/Experiment.ts"
import { recipes } from "../src/Recipe.ts"

const told = Effect.fnUntraced(function* (assignment: string) {
  const changed = merge(recipes.quickstart.experiment, yield* parseAssignment(assignment))
  const { message } = yield* Effect.flip(decodeExperiment(changed))
  return message.replace("wrong configuration: ", "")
})

it.effect.each([
  // Slips of the keyboard, and the spelling of other programs.
  ["train.epoch=3", "train.epochs"],
  ["train.batch_size=3", "train.batchSize"],
  ["train.learningrate=1", "train.learningRate"],
  ["trian.epochs=3", "train"],
  ["model.widht=3", "model.width"],
  // Other programs' names.
  ["train.lr=1", "train.learningRate"],
  ["lr=1", "train.learningRate"],
  ["train.wd=1", "train.optimizer.weightDecay"],
  ["train.criterion=x", "train.loss"],
  ["train.scheduler.t=3", "train.schedule"],
  ["arch=x", "model"],
  ["transforms=[]", "augment"],
  ["data.root=x", "data.directory"],
  ["manual_seed=3", "seed"],
  // The right name in the wrong place.
  ["epochs=3", "train.epochs"],
  ["train.weight_decay=1", "train.optimizer.weightDecay"],
  ["width=3", "model.width"],
  // Values.
  ["data.dataset=CIFAR-10", "cifar10"],
  ["model._tag=wide_resnet", "WideResNet"],
  ["model._tag=resnet", "WideResNet"],
  ["model._tag=ViT", "VisionTransformer"],
  ['augment=[{"_tag":"RandomCorp"}]', "RandomCrop"],
  ['train.optimizer={"_tag":"Adam"}', "AdamW"],
  ['train.schedule={"_tag":"CosineAnnealingLR"}', "Cosine"],
  ["train.precision=fp16", "bfloat16"],
  ["train.tta=tencrop", "ten-crop"]
] as const)("%s: did you mean %s?", ([assignment, meant]) =>
  Effect.map(told(assignment), (message) => assert.include(message, `; did you mean ${meant}?`))
)

it.effect.each([
  ["train.nonsense=1", "train.nonsense is not a known key"],
  ["model.depth=16", "model.depth is not a known key of SimpleCnn"],
  ["train.epochs=abc", 'train.epochs: expected an integer, got "abc"'],
  ['train.epochs="3"', 'train.epochs: expected an integer, got "3": write it without quotes'],
  ["train.epochs=null", "train.epochs: expected an integer, got null"],
  ["train.epochs=[1]", "train.epochs: expected an integer, got [1]"],
  ["train.learningRate=1e400", "train.learningRate: expected a finite number, got Infinity"],
  ["train.xla=yes", 'train.xla: expected true or false, got "yes"'],
  ["name=3", "name: expected text, got 3"],
  ["seed=1e20", "seed: expected a value between 0 and 4294967295, got 100000000000000000000"],
  ["augment=RandomCrop", 'augment: expected a list, got "RandomCrop"'],
  ["data.size=[1]", "data.size: expected a list of 2 values, got [1]"],
  ["data.size=big", 'data.size: expected an integer or a list of 2 values, got "big"'],
  ["train.sam=0.1", 'train.sam: expected an object such as {"rho":…}, got 0.1'],
  [
    "train.optimizer=Adam",
    'train.optimizer: expected an object with a name, one of Sgd, Muon, AdamW, and its options, as {"_tag":"AdamW"}, got "Adam"'
  ],
  ["train.optimizer.momentum=0.8", "train.optimizer._tag is missing: one of Sgd, Muon, AdamW"],
  [
    "train.sam={rho:1}",
    /such as \{"rho":…\}, got "\{rho:1\}", which is not JSON: names and text stand in double quotes$/
  ],
  [
    "model=wrn",
    /^model: expected an object with a name.*, as \{"_tag":"WideResNet","depth":…,"widenFactor":…\}, got "wrn"$/
  ]
] as const)("%s: %s", ([assignment, expected]) =>
  Effect.map(told(assignment), (message) => {
    if (typeof expected === "string") assert.strictEqual(message, expected)
    else assert.match(message, expected)
  })
)

it.effect("of a choice of forms the closest is spoken of, and of many mistakes the first", () =>
  Effect.gen(function* () {
    const Form = Schema.Union([
      Schema.Struct({ run: Schema.String, weight: Schema.optionalKey(Schema.Number) }),
      Schema.Struct({ soup: Schema.Array(Schema.String), weight: Schema.optionalKey(Schema.Number) })
    ])
    const one = yield* Effect.flip(decodeStrictly(Form, { run: "a", wieght: 1 }))
    assert.deepStrictEqual(one.problems, ["wieght is not a known key; did you mean weight?"])
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`${i}x`, i]))
    const { message } = yield* Effect.flip(decodeStrictly(Form, { run: "a", ...many }))
    assert.match(message, /^0x is not a known key; .*5x is not a known key and 24 more$/)
  })
)

describe("did you mean", () => {
  it("counts letters that are changed, added, left out or swapped", () => {
    const distances = [
      ["epochs", "epochs", 0],
      ["epoch", "epochs", 1],
      ["epohcs", "epochs", 1],
      ["epocks", "epochs", 1],
      ["", "epochs", 6],
      ["kitten", "sitting", 3]
    ] as const
    for (const [a, b, distance] of distances) {
      assert.strictEqual(editDistance(a, b), distance)
      assert.strictEqual(editDistance(b, a), distance)
    }
  })

  it("is silent where nothing is near", () => {
    for (const name of ["", "-", "xyz", "x".repeat(1e6), "日本"]) {
      assert.isUndefined(closest(name, ["train", "data", "model"]))
    }
  })
})
