/** The set-up of a clone, in a small project whose npm and compiler are stubs. */
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"

let root: string
let environment: NodeJS.ProcessEnv

const write = (name: string, contents: string) => {
  fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true })
  fs.writeFileSync(path.join(root, name), contents)
}

const lockfile = (version: string) => ({
  packages: {
    "": {},
    "node_modules/typescript": { integrity: `sha512-${version}` },
    "node_modules/for-this": { integrity: "sha512-a", optional: true, os: [process.platform] },
    "node_modules/for-others": { integrity: "sha512-b", optional: true, os: ["another"] }
  }
})

/** Installs what the lockfile names for this machine, or does what `npm-does` says. */
const NPM = `
const fs = require("fs")
fs.appendFileSync("npm-calls", "x")
if (fs.existsSync("npm-does.js")) return require(process.cwd() + "/npm-does.js")
fs.rmSync("node_modules", { recursive: true, force: true })
const { packages } = JSON.parse(fs.readFileSync("package-lock.json"))
for (const name of Object.keys(packages)) {
  if (packages[name].os?.[0] === "another") delete packages[name]
  else fs.mkdirSync(name || ".", { recursive: true }), name && fs.writeFileSync(name + "/package.json", "{}")
}
fs.mkdirSync("node_modules/typescript/bin")
fs.copyFileSync("tsc.js", "node_modules/typescript/bin/tsc")
fs.writeFileSync("node_modules/.package-lock.json", JSON.stringify({ packages }))
`

/** Copies src to the folder after --outDir with the endings of JavaScript; a source that says `wrong` is refused. */
const TSC = `
const fs = require("fs")
const out = process.argv[process.argv.indexOf("--outDir") + 1]
if (fs.readFileSync("src/Main.ts", "utf8") === "wrong") process.exit(2)
fs.mkdirSync(out)
for (const name of fs.readdirSync("src")) fs.copyFileSync("src/" + name, out + "/" + name.replace(".ts", ".js"))
`

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "shakedrop-bootstrap-"))
  fs.mkdirSync(path.join(root, "scripts"))
  fs.copyFileSync("scripts/bootstrap.mjs", path.join(root, "scripts/bootstrap.mjs"))
  fs.copyFileSync("scripts/sources.mjs", path.join(root, "scripts/sources.mjs"))
  write("package.json", "{}")
  write("npm-cli.js", NPM)
  write("tsc.js", TSC)
  write("scripts/bundle-kernels.mjs", "")
  write("package-lock.json", JSON.stringify(lockfile("1")))
  write("tsconfig.json", "{}")
  write("src/Main.ts", "one")
  environment = { ...process.env, npm_execpath: path.join(root, "npm-cli.js") }
})

afterEach(() => fs.rmSync(root, { recursive: true }))

interface Ended {
  readonly code: number | null
  readonly said: string
}

interface Started {
  readonly child: ChildProcess
  readonly saidSoFar: () => string
  readonly ended: Promise<Ended>
}

const start = (task = "build"): Started => {
  const child = spawn(process.execPath, [path.join(root, "scripts/bootstrap.mjs"), task], {
    env: environment,
    stdio: ["ignore", "ignore", "pipe"]
  })
  let said = ""
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk
  })
  // Times differ from run to run.
  const ended = new Promise<Ended>((resolve) =>
    child.once("close", (code) => resolve({ code, said: said.replace(/ \(\d+\.\d s\)/g, "") }))
  )
  return { child, saidSoFar: () => said, ended }
}

const build = () => start().ended
const npmCalls = () => fs.readFileSync(path.join(root, "npm-calls"), "utf8").length
const built = () => fs.readFileSync(path.join(root, "dist/Main.js"), "utf8")

const INSTALLED = "packages      npm is installing them\npackages      installed\n"
const UP_TO_DATE = "packages      up to date\nbuild         up to date\n"

describe("bootstrap", () => {
  it("installs and builds once", async () => {
    assert.deepStrictEqual(await build(), { code: 0, said: `${INSTALLED}build         made\n` })
    assert.strictEqual(built(), "one")
    assert.strictEqual(fs.statSync(path.join(root, "dist/Main.js")).mode & 0o111, 0o111)
    assert.deepStrictEqual(await build(), { code: 0, said: UP_TO_DATE })
    assert.strictEqual(npmCalls(), 1)
  })

  it("installs again when the lockfile names other packages, or one is missing", async () => {
    await build()
    write("package-lock.json", JSON.stringify(lockfile("2")))
    assert.strictEqual((await build()).said, `${INSTALLED}build         made\n`)
    fs.rmSync(path.join(root, "node_modules/for-this"), { recursive: true })
    assert.strictEqual((await build()).said, `${INSTALLED}build         up to date\n`)
    // What an installation that was cut off looks like.
    fs.rmSync(path.join(root, "node_modules/.package-lock.json"))
    assert.strictEqual((await build()).said, `${INSTALLED}build         up to date\n`)
  })

  it("builds again when a source has changed or is gone, and leaves no output of one that is gone", async () => {
    write("src/Other.ts", "other")
    await build()
    write("src/Main.ts", "two")
    assert.strictEqual((await build()).said, "packages      up to date\nbuild         made\n")
    assert.strictEqual(built(), "two")
    fs.rmSync(path.join(root, "src/Other.ts"))
    await build()
    assert.isFalse(fs.existsSync(path.join(root, "dist/Other.js")))
  })

  it("keeps the last build when the next one fails", async () => {
    await build()
    write("src/Main.ts", "wrong")
    const { code, said } = await build()
    assert.strictEqual(code, 1)
    assert.match(said, /\nshakedrop: the build failed: .*\n$/)
    assert.strictEqual(built(), "one")
  })

  it("does the work once when it is started twice at once", async () => {
    const [first, second] = await Promise.all([build(), build()])
    assert.deepStrictEqual([first.code, second.code], [0, 0])
    assert.strictEqual(npmCalls(), 1)
  })

  /** Has npm write its process into the file `npm-pid` and wait for ever. */
  const hangingNpm = (before = "") =>
    write(
      "npm-does.js",
      `const fs = require("fs"); ${before}; fs.writeFileSync("npm-pid", \`\${process.pid}\\n\`); setInterval(() => {}, 1000)`
    )

  const npmHangs = async (): Promise<number> => {
    const file = path.join(root, "npm-pid")
    for (;;) {
      const pid = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : ""
      if (pid.endsWith("\n")) return Number(pid)
      await new Promise(setImmediate)
    }
  }

  it("is not held up by one that was killed", async () => {
    hangingNpm()
    const { child, ended } = start()
    const npm = await npmHangs()
    const second = start()
    while (!second.saidSoFar().includes("waiting for it")) await new Promise(setImmediate)
    fs.rmSync(path.join(root, "npm-does.js"))
    child.kill("SIGKILL")
    process.kill(npm)
    await ended
    const { code, said } = await second.ended
    assert.strictEqual(code, 0)
    assert.match(said, /build {9}made\n$/)
  })

  it("passes a signal on, and ends as it asks for", async () => {
    hangingNpm('process.on("SIGTERM", () => { fs.writeFileSync("received", ""); process.exit(0) })')
    const { child, ended } = start()
    await npmHangs()
    child.kill("SIGTERM")
    assert.strictEqual((await ended).code, 143)
    assert.isTrue(fs.existsSync(path.join(root, "received")))
  })

  const failures: ReadonlyArray<readonly [npm: string, told: RegExp]> = [
    [
      "code ENOTFOUND\nnpm error network request failed",
      /the package registry cannot be reached \(ENOTFOUND\)/
    ],
    ["code E503\nnpm error 503 Service Unavailable", /the package registry cannot be reached \(E503\)/],
    ["code EACCES\nnpm error syscall mkdir", / cannot be written \(EACCES\): make room or take/],
    [
      "code EUSAGE\nnpm error\nnpm error it is out of sync",
      /: it is out of sync; run `npm ci` to see the whole/
    ]
  ]
  for (const [npm, told] of failures) {
    it(`tells in one line that npm failed with ${npm.split("\n")[0]}`, async () => {
      write("npm-does.js", `console.error(${JSON.stringify(`npm error ${npm}`)}); process.exit(1)`)
      const { code, said } = await build()
      assert.strictEqual(code, 1)
      assert.match(said, told)
      assert.match(said, /^packages {6}npm is installing them\nshakedrop: [^\n]+\n$/)
    })
  }

  it("tells in one line that there is no npm", async () => {
    environment = { PATH: root }
    const { code, said } = await build()
    assert.strictEqual(code, 1)
    assert.match(said, /\nshakedrop: npm cannot be started \(ENOENT\): install Node\.js together with npm, /)
  })

  it("tells in one line what it can do", async () => {
    assert.deepStrictEqual(await start("tset").ended, {
      code: 1,
      said: "shakedrop: bootstrap.mjs takes build, start, test, not tset\n"
    })
  })
})
