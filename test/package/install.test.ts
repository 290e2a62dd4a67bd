/** The packed package in somebody else's project: installed with npm's defaults, type-checked, and run. */
import { execFile } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"

const run = promisify(execFile)
const project = mkdtempSync(path.join(tmpdir(), "shakedrop-install-"))
const { devDependencies } = JSON.parse(readFileSync("package.json", "utf8")) as {
  readonly devDependencies: Readonly<Record<string, string>>
}

/** A program as a user writes it: one service of each room, and a network of its own. */
const PROGRAM = `
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Augment, Checkpoint, Config, Data, Device, Ensemble, Export, Model, Predict, Report, Train } from "shakedrop"

export const rooms = { Augment, Checkpoint, Config, Ensemble, Export, Model, Predict, Report, Train }
const dataset = Layer.unwrap(Effect.map(Data.decodeConfig({ dataset: "shapes" }), (config) => Data.Dataset.layer(config)))
export const layers = Layer.mergeAll(Device.Device.layer("cpu"), dataset)
export const program = Effect.gen(function* () {
  const device = yield* Device.Device
  const dataset = yield* Data.Dataset
  return device.name + dataset.name
}).pipe(Effect.provide(layers))
`

const TSCONFIG = {
  compilerOptions: {
    target: "ES2022",
    module: "NodeNext",
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    types: ["node"]
  },
  include: ["program.ts"]
}

beforeAll(async () => {
  await run("npm", ["pack", "--ignore-scripts", "--pack-destination", project])
  const [archive] = readdirSync(project).filter((name) => name.endsWith(".tgz"))
  const manifest = { name: "project", version: "1.0.0", type: "module", private: true }
  writeFileSync(path.join(project, "package.json"), JSON.stringify(manifest))
  const packages = [
    `./${archive}`,
    `effect@${devDependencies.effect}`,
    `@types/node@${devDependencies["@types/node"]}`,
    "typescript@5.9.3"
  ]
  // Scripts of packages run as by default: .npmrc of this project does not reach there.
  await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...packages], { cwd: project })
  writeFileSync(path.join(project, "program.ts"), PROGRAM)
  writeFileSync(path.join(project, "tsconfig.json"), JSON.stringify(TSCONFIG))
}, 600_000)

afterAll(() => rmSync(project, { recursive: true }))

describe("the packed package in another project", () => {
  it("brings neither tfjs-node-gpu, whose install script downloads a TensorFlow, nor the whole of tfjs", () => {
    const installed = readdirSync(path.join(project, "node_modules/@tensorflow"))
    assert.deepStrictEqual(installed, ["tfjs-core"])
  })

  it("type-checks with skipLibCheck off", async () => {
    const tsc = path.join(project, "node_modules/typescript/bin/tsc")
    const output = await run(process.execPath, [tsc, "-p", project]).then(
      () => "",
      ({ stdout }: { readonly stdout: string }) => stdout
    )
    assert.strictEqual(output, "")
  })

  it("trains", async () => {
    const main = path.join(project, "node_modules/shakedrop/dist/Main.js")
    const { stdout } = await run(process.execPath, [main, "train", "--smoke"], { cwd: project })
    assert.match(stdout, /32 test images: \d/)
  })
})
