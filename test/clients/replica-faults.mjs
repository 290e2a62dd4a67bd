/**
 * Random faults of a training that two replicas share: one of them is killed or frozen at a random time, start-up and
 * checkpoints included. No run may hang or be silent, and each that goes on ends with the bits of one that was let be.
 * Seen on 2026-11-28, on a machine with much else to do: 14 of 14 good, four of them over before the fault.
 * Too slow for npm test. Run it from the project's folder once it is built:  node test/clients/replica-faults.mjs 20
 */
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"

const trials = Number(process.argv[2] ?? 20)
const SILENCE = 5
/** Seconds in which all must have ended after a fault: the time to join, the launcher's patience, and a slow machine's. */
const PATIENCE = 30 + 15 + 25
const root = mkdtempSync(path.join(tmpdir(), "shakedrop-faults-"))
const main = path.resolve("dist/Main.js")
const config = [
  ...["--device", "cpu", "--set", "train.epochs=2", "--set", "train.batchSize=256", "--set", "model.width=4"],
  ...["--set", "train.saveMinutes=0.01"]
]

const start = (folder, more = []) => {
  const replicas = ["--replicas", "2", "--lost-after", String(SILENCE), "--join-timeout", "30"]
  const args = [main, "train", ...replicas, ...more, "--out", folder]
  const child = spawn(process.execPath, args, { cwd: root })
  const told = { text: "" }
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (told.text += chunk))
  const ended = new Promise((resolve) => child.once("close", (code) => resolve(code)))
  return { child, told, ended }
}

const replica = (launcher, rank) => {
  try {
    const children = readFileSync(`/proc/${launcher}/task/${launcher}/children`, "utf8").trim().split(" ")
    return children.find((pid) =>
      readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(`RANK=${rank}`)
    )
  } catch {
    return undefined
  }
}

const sleep = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds))

/** The hash of the tensors of a run's last state. */
const lastState = (folder) => {
  const checkpoints = path.join(root, folder, "checkpoints")
  const [last] = readdirSync(checkpoints)
    .filter((file) => /^step-.*safetensors$/.test(file))
    .sort()
    .reverse()
  return createHash("sha256")
    .update(readFileSync(path.join(checkpoints, last)))
    .digest("hex")
    .slice(0, 12)
}

const begun = performance.now()
const reference = start("reference", config)
if ((await reference.ended) !== 0) throw new Error(reference.told.text)
const seconds = (performance.now() - begun) / 1000
const right = lastState("reference")
console.log(`let be: ${seconds.toFixed(1)} s, ${right}`)

const bad = []
for (let trial = 0; trial < trials; trial++) {
  const folder = `run-${trial}`
  const rank = Math.floor(2 * Math.random())
  const signal = Math.random() < 0.6 ? "SIGKILL" : "SIGSTOP"
  const run = start(folder, config)
  const at = seconds * Math.random()
  await sleep(at)
  const pid = replica(run.child.pid, rank)
  if (pid !== undefined) process.kill(Number(pid), signal)
  const hit = performance.now()
  const code = await Promise.race([
    run.ended,
    sleep(PATIENCE + (pid === undefined ? 60 : 0)).then(() => "hangs")
  ])
  const took = (performance.now() - hit) / 1000
  const line = run.told.text
    .split("\n")
    .find((one) => /replica \d.*(was lost|does not come|did not come|is not at)/.test(one))
  let verdict = "good"
  if (code === "hangs") {
    verdict = "HANGS"
    run.child.kill("SIGKILL")
  } else if (code !== 0) {
    if (line === undefined) verdict = `SILENT: ${run.told.text.trim().split("\n").slice(-2).join(" | ")}`
    const again = existsSync(path.join(root, folder, "config.json"))
      ? start(folder, ["--resume"])
      : start(`${folder}-again`, config)
    const ended = await Promise.race([again.ended, sleep(4 * seconds + 60).then(() => "hangs")])
    const where = existsSync(path.join(root, folder, "config.json")) ? folder : `${folder}-again`
    if (ended !== 0)
      verdict = `NOT CONTINUED (${ended}): ${again.told.text.trim().split("\n").slice(-2).join(" | ")}`
    else if (lastState(where) !== right) verdict = `OTHER BITS: ${lastState(where)}`
  } else if (lastState(folder) !== right) verdict = "OTHER BITS"
  if (verdict !== "good") bad.push(verdict)
  const what =
    pid === undefined
      ? "over before"
      : `${signal} to ${rank} at ${at.toFixed(1)} s, ended after ${took.toFixed(1)} s with ${code}`
  console.log(`${trial}: ${verdict}; ${what}; ${line ?? ""}`)
}
rmSync(root, { recursive: true, force: true })
console.log(`${trials - bad.length} of ${trials} good`)
process.exit(bad.length === 0 ? 0 : 1)
