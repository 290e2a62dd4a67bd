/** The built commands for ensembles, in processes of their own. */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import sharp from "sharp"
import { colours } from "../support/Runs.ts"

const MAIN = path.resolve("dist/Main.js")

const root = fs.mkdtempSync(path.join(os.tmpdir(), "shakedrop-ensemble-cli-"))
afterAll(() => fs.rmSync(root, { recursive: true }))

const shakedrop = (args: ReadonlyArray<string>, environment: NodeJS.ProcessEnv = {}) => {
  const { status, stderr, stdout } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, ...environment }
  })
  return { code: status, stderr, stdout }
}

/** Where libtensorflow is not set up: what reaches for the device fails. */
const withoutDevice = (...args: ReadonlyArray<string>) =>
  shakedrop(args, { XDG_CACHE_HOME: path.join(root, "empty"), SHAKEDROP_LIBTENSORFLOW: "" })

const onCpu = (...args: ReadonlyArray<string>) => {
  const { code, stderr, stdout } = shakedrop([...args, "--device", "cpu"])
  assert.strictEqual(code, 0, stderr)
  return stdout
}

/** 48 training and 20 test images as PNG files in a folder for each class. */
const writeImages = async () => {
  const { classes, test, train } = colours(0)
  for (const [name, { images, labels }, count] of [
    ["train", train, 48],
    ["test", test, 20]
  ] as const) {
    const { height, pixels, width } = images
    const size = height * width * 3
    for (let i = 0; i < count; i++) {
      const folder = path.join(root, "images", name, classes[labels[i]])
      fs.mkdirSync(folder, { recursive: true })
      const image = Buffer.from(pixels.slice(i * size, (i + 1) * size))
      await sharp(image, { raw: { height, width, channels: 3 } })
        .png()
        .toFile(path.join(folder, `${i}.png`))
    }
  }
}

const experiment = {
  name: "tiny",
  augment: [],
  model: { _tag: "SimpleCnn", width: 2 },
  train: { epochs: 1, batchSize: 8, learningRate: 0.05, schedule: { _tag: "Cosine" } }
}

const ensemble = {
  name: "two",
  data: { dataset: "folder", directory: "images", size: 8, validation: 16 },
  members: [
    { run: "runs/a", experiment },
    { run: "runs/b", weight: 2, experiment: { ...experiment, seed: 2 } }
  ]
}

const write = (name: string, contents: unknown): void =>
  fs.writeFileSync(path.join(root, name), JSON.stringify(contents))

beforeAll(async () => {
  await writeImages()
  write("two.json", ensemble)
  write("wrong.json", { ...ensemble, rules: "MeanLogits" })
  write("soup.json", { ...ensemble, members: [{ soup: [{ run: "runs/a" }, { run: "runs/c" }] }] })
})

const WHOLE =
  /^images, 20 test images: [\d.]+ % \(95 % interval [\d.]+ % to [\d.]+ %\), [+−][\d.]+ points beside the best member \(.*McNemar p .*\)$/m

describe("shakedrop ensemble", () => {
  const help = ["", "evaluate"]
  it.each(help)("%s --help says what there is", (command) => {
    const { code, stderr, stdout } = withoutDevice("ensemble", ...(command ? [command] : []), "--help")
    assert.deepStrictEqual([code, stderr], [0, ""])
    assert.include(stdout, `shakedrop ensemble ${command}`.trim())
  })

  const mistakes: ReadonlyArray<readonly [command: string, told: RegExp]> = [
    ["evaluate two.json", /there is no run in runs\/a: it has no config\.json/],
    ["evaluate", /give either a file with an ensemble or --recipe/],
    ["evaluate wrong.json", /wrong ensemble: rules is not a known key/],
    ["search two.json --out found.json --split test", /searched for on the validation split, not on test/],
    ["train soup.json", /no finished run in runs\/a, and its member does not say what to train there/],
    ["train two.json", /libtensorflow is not set up/],
    ["predict two.json images", /there is no run in runs\/a/]
  ]
  it.each(mistakes)("%s: tells the mistake in one line", (command, told) => {
    const { code, stderr } = withoutDevice("ensemble", ...command.split(" "))
    assert.strictEqual(code, 1)
    assert.match(stderr, told)
    // Only a training has looked at its images by then.
    const said = command.startsWith("train ")
      ? stderr.replace(/^decoded \d+ of \d+ images[^\n]*\n/, "")
      : stderr
    assert.match(said, /^shakedrop: [^\n]+\n$/)
  })

  it("trains what is missing and evaluates, searches weights, and predicts", () => {
    const trained = onCpu("ensemble", "train", "two.json")
    assert.match(trained, WHOLE)
    for (const file of ["a/report.html", "b/result.json", "two/report.html", "two/ensemble.json"])
      assert.isTrue(fs.existsSync(path.join(root, "runs", file)), file)

    const evaluated = onCpu("ensemble", "evaluate", "two.json", "--tta", "flip", "--out", "flipped")
    assert.match(evaluated, /^a \(raw\) +[\d.]+ % {2}weight 0\.333\nb \(raw\) +[\d.]+ % {2}weight 0\.667\n/)
    assert.match(evaluated, WHOLE)
    assert.include(evaluated, `report  ${fs.realpathSync(root)}/flipped/report.html`)
    const report = JSON.parse(fs.readFileSync(path.join(root, "flipped", "ensemble.json"), "utf8"))
    assert.strictEqual(report.images, 20)
    assert.match(report.command, /^shakedrop ensemble evaluate two\.json --tta flip/)

    const searched = onCpu("ensemble", "search", "two.json", "--out", "found.json")
    assert.match(searched, /^temperature {2}[\d.]+$/m)
    assert.match(searched, /found on 16 validation images; written to found\.json$/m)
    // All is trained, and all that is asked has been kept: no device is needed.
    const again = withoutDevice("ensemble", "train", "found.json")
    assert.strictEqual(again.code, 0, again.stderr)
    assert.match(again.stdout, WHOLE)
    assert.include(again.stdout, "/runs/found/report.html")

    const predicted = onCpu("ensemble", "predict", "found.json", "images/test/red", "--top", "1")
    const lines = predicted.trim().split("\n")
    assert.strictEqual(lines.length, 5)
    const { file, probabilities } = JSON.parse(lines[0])
    assert.match(file, /images\/test\/red\/\d+\.png$/)
    assert.strictEqual(probabilities.length, 1)
  }, 120_000)

  it("tries all of it in a few steps, in folders beside the real ones", () => {
    const names = ["a", "b"].map((name) => path.join(root, "runs", `${name}-smoke`))
    write("cycles.json", { ...ensemble, members: [...ensemble.members, { run: "runs/a", checkpoint: 3 }] })
    assert.match(onCpu("ensemble", "train", "cycles.json", "--smoke"), /^images, 20 test images: /m)
    for (const name of names) assert.isTrue(fs.existsSync(path.join(name, "result.json")), name)
    assert.isTrue(fs.existsSync(path.join(root, "runs", "two-smoke", "report.html")))
  }, 120_000)
})
