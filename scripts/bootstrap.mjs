/**
 * Everything that a clone needs, each only if it is missing or out of date: packages, build, libtensorflow. Then
 * what was asked for. Plain Node, because at first nothing is installed.
 *
 *   node scripts/bootstrap.mjs start [what `shakedrop train` takes]
 *   node scripts/bootstrap.mjs test [what vitest takes]
 *   node scripts/bootstrap.mjs build
 */
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import * as net from "node:net"
import { constants } from "node:os"
import * as path from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { BUNDLER, isCurrent, STAMP, sources } from "./sources.mjs"

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const DIST = path.join(ROOT, "dist")
const MAIN = path.join(DIST, "Main.js")

const inPackages = (...names) => path.join(ROOT, "node_modules", ...names)
const say = (text) => process.stderr.write(`${text}\n`)
const fail = (text) => {
  say(`shakedrop: ${text}`)
  process.exit(1)
}

const [major, minor] = process.versions.node.split(".").map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`Node ${process.versions.node} is too old: install Node 20.19 or newer`)
}

/**
 * Runs a program to its end and gives its exit code and its output where `stdio` pipes it. A signal to this
 * process goes on to the program, and ends this process once the program has ended.
 */
const run = (command, args, stdio = "inherit") =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio })
    let received
    let output = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk) => {
        output += chunk
      })
    }
    const pass = (signal) => {
      received = signal
      child.kill(signal)
    }
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"]
    for (const signal of signals) process.on(signal, pass)
    child.once("error", reject)
    child.once("close", (code, signal) => {
      for (const each of signals) process.off(each, pass)
      if (received !== undefined) process.exit(128 + constants.signals[received])
      resolve({ code: code ?? 128 + constants.signals[signal], output })
    })
  })

const node = (...args) => run(process.execPath, args)

/** Does one part of the set-up, and says in a line how it went. `work` gives what it has done. */
const step = async (name, work) => {
  const start = performance.now()
  const done = await work()
  say(`${name.padEnd(14)}${done} (${((performance.now() - start) / 1000).toFixed(1)} s)`)
}

/**
 * Keeps others from setting up this clone at the same time, until the function that is returned is called. The
 * kernel frees the name of an abstract socket with the process that listens on it, so no lock is ever left over.
 */
const lock = async () => {
  const name = `\0shakedrop-${createHash("sha256").update(ROOT).digest("hex")}`
  for (let waiting = false; ; waiting = true) {
    const waiters = new Set()
    const server = net.createServer((socket) => waiters.add(socket.on("error", () => {})))
    const code = await new Promise((resolve) => {
      server.once("error", (error) => resolve(error.code))
      server.listen(name, () => resolve("listening"))
    })
    if (code === "listening") {
      return () => {
        server.close()
        for (const socket of waiters) socket.destroy()
      }
    }
    // Where there are no abstract sockets, a clone can only be set up by one at a time.
    if (code !== "EADDRINUSE") return () => {}
    if (!waiting) say("another process is setting up this folder: waiting for it")
    await new Promise((resolve) =>
      net
        .connect(name)
        .on("error", () => {})
        .on("close", resolve)
    )
  }
}

const readJson = (file) => JSON.parse(readFileSync(file, "utf8"))

const glibc = () => {
  process.report.excludeNetwork = true
  return process.report.getReport().header.glibcVersionRuntime !== undefined
}

/** Whether an entry of the lockfile is a binary for this machine; what only other machines' binaries need is not. */
const isForThisMachine = ({ cpu, libc, os }) =>
  os?.includes(process.platform) &&
  (cpu?.includes(process.arch) ?? true) &&
  (libc?.includes(glibc() ? "glibc" : "musl") ?? true)

/** Whether what npm says it has installed is what the lockfile names. */
const packagesAreInstalled = () => {
  const record = inPackages(".package-lock.json")
  if (!existsSync(record)) return false
  const installed = readJson(record).packages
  return Object.entries(readJson(path.join(ROOT, "package-lock.json")).packages).every(
    ([place, wanted]) =>
      place === "" ||
      (installed[place] === undefined
        ? wanted.optional && !isForThisMachine(wanted)
        : installed[place].integrity === wanted.integrity &&
          existsSync(path.join(ROOT, place, "package.json")))
  )
}

const NETWORK =
  /^(ENOTFOUND|EAI_AGAIN|ECONN\w+|E?TIMEDOUT|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|EIDLETIMEOUT|E[45]\d\d|\w*CERT\w*)$/
const DISK = /^(EACCES|EPERM|EROFS|ENOSPC|EDQUOT)$/

const npmAdvice = (output) => {
  const code = /^npm (?:error|ERR!) code (\S+)/m.exec(output)?.[1] ?? ""
  if (NETWORK.test(code)) {
    return `the package registry cannot be reached (${code}): check the network, and the registry and proxy of \`npm config list\`, and run this again`
  }
  if (DISK.test(code)) {
    return `${ROOT} cannot be written (${code}): make room or take a folder of your own, and run this again`
  }
  const reason = /^npm (?:error|ERR!) (?!code )(\S.*)/m.exec(output)?.[1] ?? output.trim().split("\n").at(-1)
  return `${reason}; run \`npm ci\` to see the whole`
}

const packages = async () => {
  if (packagesAreInstalled()) return "up to date"
  const args = ["ci", "--include=dev", "--include=optional", "--ignore-scripts", "--no-audit", "--no-fund"]
  const own = process.env.npm_execpath
  const npm = own !== undefined && /npm-cli\.c?js$/.test(own) ? [process.execPath, own] : ["npm"]
  const installing = run(npm[0], [...npm.slice(1), ...args], ["ignore", "pipe", "pipe"])
  say(`${"packages".padEnd(14)}npm is installing them`)
  const { code, output } = await installing.catch((error) =>
    fail(`npm cannot be started (${error.code}): install Node.js together with npm, and run this again`)
  )
  if (code !== 0) fail(`npm cannot install the packages: ${npmAdvice(output)}`)
  return "installed"
}

/** Compiles src into dist, which is replaced when it is whole. */
const build = async () => {
  if (isCurrent(DIST)) return "up to date"
  const made = sources()
  const fresh = path.join(ROOT, "dist.new")
  rmSync(fresh, { recursive: true, force: true })
  const { code } = await node(inPackages("typescript/bin/tsc"), "-p", ROOT, "--outDir", fresh)
  if (code !== 0) fail("the build failed: correct the errors above, and run this again")
  const bundling = await node(path.join(ROOT, BUNDLER), fresh)
  if (bundling.code !== 0) fail("the kernels cannot be bundled: see above, run `npm ci`, and run this again")
  // npx makes it executable only when it first links the command.
  chmodSync(path.join(fresh, path.basename(MAIN)), 0o755)
  writeFileSync(path.join(fresh, STAMP), made)
  rmSync(DIST, { recursive: true, force: true })
  renameSync(fresh, DIST)
  return "made"
}

const libtensorflow = async () => {
  const { code } = await run(process.execPath, [MAIN, "setup"], ["inherit", "ignore", "inherit"])
  // It has said itself what is wrong and what to do.
  if (code !== 0) process.exit(code)
  return "ready"
}

/** Runs a program's file in this process as if it had been called by itself: it sees signals, terminal and all. */
const become = async (file, ...args) => {
  process.argv = [process.argv[0], file, ...args]
  await import(pathToFileURL(file).href)
}

const check = async (what, advice, ...command) => {
  const { code } = await node(...command)
  if (code !== 0) fail(`${what} failed: ${advice}`)
  return "passed"
}

const tasks = {
  build: async () => {},
  start: async (args) => {
    await step("libtensorflow", libtensorflow)
    await become(MAIN, "train", ...args)
  },
  test: async (args) => {
    await step("libtensorflow", libtensorflow)
    const biome = inPackages("@biomejs/biome/bin/biome")
    await step("format, lint", () =>
      check("format and lint", "`npx biome check --write` mends what it can", biome, "check")
    )
    const tsc = inPackages("typescript/bin/tsc")
    await step("types", () => check("the type check", "see above", tsc, "-p", "tsconfig.check.json"))
    const cruiser = inPackages("dependency-cruiser/bin/dependency-cruise.mjs")
    await step("architecture", () =>
      check("the check of who imports whom", "see above, and docs/architecture.md", cruiser, "src")
    )
    await become(inPackages("vitest/vitest.mjs"), "run", ...args)
  }
}

const [task, ...args] = process.argv.slice(2)
if (!Object.hasOwn(tasks, task)) fail(`bootstrap.mjs takes ${Object.keys(tasks).join(", ")}, not ${task}`)
const unlock = await lock()
await step("packages", packages)
await step("build", build)
unlock()
await tasks[task](args)
