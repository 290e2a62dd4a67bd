/** The built command line, in a process of its own. */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"

const MAIN = path.resolve("dist/Main.js")

const root = fs.mkdtempSync(path.join(os.tmpdir(), "shakedrop-cli-"))
afterAll(() => fs.rmSync(root, { recursive: true }))

const shakedrop = (args: ReadonlyArray<string>, environment: NodeJS.ProcessEnv = {}) => {
  // Nothing is set up in an empty cache, so a command that touched the device before it looked at its input fails.
  const env = { ...process.env, XDG_CACHE_HOME: root, SHAKEDROP_LIBTENSORFLOW: "", ...environment }
  const { status, stderr, stdout } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd: root,
    encoding: "utf8",
    env
  })
  return { code: status, stderr, stdout }
}

/** The modules that a process loads, by their addresses: V8 lists them when it is asked for coverage. */
const modulesLoadedBy = (run: (environment: NodeJS.ProcessEnv) => void): ReadonlyArray<string> => {
  const coverage = fs.mkdtempSync(path.join(root, "coverage-"))
  run({ NODE_V8_COVERAGE: coverage })
  return fs.readdirSync(coverage).flatMap((file) => {
    const { result } = JSON.parse(fs.readFileSync(path.join(coverage, file), "utf8"))
    return (result as ReadonlyArray<{ readonly url: string }>).map(({ url }) => url)
  })
}

const HEAVY = /node_modules\/(@tensorflow|koffi|sharp|yauzl|tar-stream)\//

describe("shakedrop", () => {
  // The whole tree of commands is loaded for any of them.
  const help = ["", "train", "data download"]
  for (const command of help) {
    it(`${command} --help loads nothing heavy`.trim(), () => {
      const loaded = modulesLoadedBy((environment) => {
        shakedrop([...command.split(" ").filter(Boolean), "--help"], environment)
      })
      assert.isTrue(loaded.some((url) => url.endsWith("/effect/dist/cli/Command.js")))
      assert.deepStrictEqual(
        loaded.filter((url) => HEAVY.test(url)),
        []
      )
    })
  }

  it("recipes show loads neither tfjs nor a network", () => {
    const loaded = modulesLoadedBy((environment) => {
      const { code, stdout } = shakedrop(["recipes", "show", "speedrun"], environment)
      assert.strictEqual(code, 0)
      assert.include(stdout, "Airbench")
    })
    assert.deepStrictEqual(
      loaded.filter((url) => HEAVY.test(url) || /(?<!effect)\/dist\/(Ops|Model)[./]/.test(url)),
      []
    )
  })

  for (const entry of ["Config", "Recipe"]) {
    it(`the library's ${entry} loads neither tfjs nor the device`, () => {
      const file = path.resolve(`dist/${entry}.js`)
      const loaded = modulesLoadedBy((environment) => {
        const env = { ...process.env, ...environment }
        const { status } = spawnSync(process.execPath, [file], { env })
        assert.strictEqual(status, 0)
      })
      assert.isTrue(loaded.some((url) => url.endsWith(`/dist/${entry}.js`)))
      const others = /(?<!effect)\/dist\/(Device|Ops|Model|Train|Augment|Data)[./]/
      assert.deepStrictEqual(
        loaded.filter((url) => HEAVY.test(url) || others.test(url)),
        []
      )
    })
  }

  it("shows help and version on stdout", () => {
    const help = shakedrop(["--help"])
    assert.deepStrictEqual([help.code, help.stderr], [0, ""])
    assert.match(help.stdout, /USAGE\n {2}shakedrop <subcommand>/)
    const { version } = JSON.parse(fs.readFileSync("package.json", "utf8"))
    assert.deepStrictEqual(shakedrop(["--version"]), {
      code: 0,
      stderr: "",
      stdout: `shakedrop v${version}\n`
    })
  })

  const mistakes: ReadonlyArray<readonly [command: string, told: RegExp]> = [
    ["trian", /Unknown subcommand "trian" for "shakedrop"; did you mean train\? \(see shakedrop --help\)/],
    [
      "train --recipee x",
      /Unrecognized flag: --recipee .*; did you mean --recipe\? \(see shakedrop train --help\)/
    ],
    ["train --recipe none", /there is no recipe none: there are quickstart, /],
    ["train --set train.epohcs=3", /wrong configuration: train\.epohcs is not a known key/],
    ["train --epochs 3", /Unrecognized flag: --epochs .*; did you mean --set train\.epochs=…\?/],
    ["train --batch_size 3", /did you mean --set train\.batchSize=…\?/],
    ["train --output x", /did you mean --out\?/],
    ["train --gpu", /did you mean --device gpu\?/],
    ["train --seed abc", /--seed: expected an integer, got "abc" \(see/],
    ["train --seed 1.5", /--seed: expected an integer, got "1\.5" \(see/],
    ["train --workers 100", /--workers: expected a value between 0 and 64, got "100" \(see/],
    ["train --dataset CIFAR-10", /did you mean cifar10\?/],
    [
      "train --recipe quikstart",
      /there is no recipe quikstart; did you mean quickstart\? `shakedrop recipes`/
    ],
    ["train --data-dir .", /shapes is drawn in code.*: say what is in the folder, with --dataset folder/],
    ["data info --data-dir .", /shapes is drawn in code/],
    ["train .", /Unexpected positional argument: "\."; did you mean --data-dir \.\?/],
    ["train --out=", /--out: expected a folder to write to, but the name is empty/],
    [`train --out ${MAIN}`, /--out: expected a folder to write to, but .*Main\.js is a file/],
    [`train --out ${MAIN}/x`, /--out: expected a folder to write to, but .*Main\.js is a file/],
    [`train --out ${"x".repeat(300)}`, /--out: expected a folder to write to, but the name is too long/],
    ["data info --out .", /--out: expected a file to write to, but \. is a folder/],
    ["train --config .", /cannot read \.: it is a folder/],
    ["train --set train.epochs=0", /train\.epochs: expected a value greater than or equal to 1, got 0/],
    ["train --set train", /an assignment has the form key=value, for instance train\.epochs=5, not train/],
    [
      "train --dataset mnist",
      /--dataset: expected shapes, cifar10, cifar100 or folder, got "mnist" \(see shakedrop train --help\)/
    ],
    ["train --config none.json", /cannot read none\.json: there is no such file or folder/],
    ["train --resume --out none", /there is no run in none/],
    ["train --dataset cifar10", /data\.directory/],
    [
      "train --recipe vit-b16-finetune --data-dir none",
      /there is no file vit_base_patch16_224\.augreg_in21k\.safetensors: .*--set train\.initialWeights=FILE/
    ],
    ["evaluate", /Missing required argument: run/],
    ["evaluate none", /there is no run in none/],
    ["data info --dataset cifar10 --data-dir none", /none/],
    ["doctor", /libtensorflow is not set up .*: run `npx shakedrop setup`/],
    ["train", /libtensorflow is not set up .*: run `npx shakedrop setup`/]
  ]
  for (const [command, told] of mistakes) {
    it(`${command}: tells the mistake in one line`, () => {
      const { code, stderr } = shakedrop(command.split(" "))
      assert.strictEqual(code, 1)
      assert.match(stderr, told)
      assert.match(stderr, /^shakedrop: [^\n]+\n$/)
    })
  }

  it("says in one line that too few files can be open", () => {
    const limited = `ulimit -n 32; exec "${process.execPath}" "${MAIN}" train --smoke`
    const { status, stderr } = spawnSync("sh", ["-c", limited], { cwd: root, encoding: "utf8" })
    assert.strictEqual(status, 1)
    assert.match(stderr, /^shakedrop: too many open files: [^\n]+\n$/)
  })

  it("leaves nothing behind when it is used wrongly", () => {
    assert.deepStrictEqual(
      fs.readdirSync(root).filter((name) => !name.startsWith("coverage-")),
      []
    )
  })
})
