/** The command as a process: closed terminals, closed pipes and full disks below its output. */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, openSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"

const MAIN = path.resolve("dist/Main.js")
const root = mkdtempSync(path.join(tmpdir(), "shakedrop-process-"))
afterAll(() => rmSync(root, { recursive: true }))

const TRAIN = [
  ...["train", "--device", "cpu", "--set", "train.epochs=1", "--set", "model.width=2"],
  ...["--set", "train.batchSize=512"]
]

const textOf = (stream: NodeJS.ReadableStream | null): { text: string } => {
  const result = { text: "" }
  stream?.on("data", (chunk: Buffer) => {
    result.text += chunk
  })
  return result
}

const ending = (child: ChildProcess) =>
  new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)))

describe("the command", () => {
  it("saves a training when its terminal is closed", async () => {
    const child = spawn(
      process.execPath,
      [MAIN, ...TRAIN, "--set", "train.saveMinutes=1e-5", "--out", "hung-up"],
      { cwd: root }
    )
    textOf(child.stderr)
    const folder = path.join(root, "hung-up/checkpoints")
    const saved = () => {
      try {
        return readdirSync(folder).filter((name) => /^step-\d+\.json$/.test(name)).length > 0
      } catch {
        return false
      }
    }
    const watch = setInterval(() => {
      if (!saved()) return
      clearInterval(watch)
      child.kill("SIGHUP")
    }, 5)
    const code = await ending(child)
    clearInterval(watch)
    // Interrupted, not killed by the signal.
    assert.strictEqual(code, 130)
    assert.isTrue(saved())
  })

  it("saves and goes on when a job scheduler says that its time is almost over", async () => {
    const child = spawn(process.execPath, [MAIN, ...TRAIN, "--out", "scheduled"], { cwd: root })
    const log = textOf(child.stderr)
    const out = textOf(child.stdout)
    // Before the first step.
    child.stderr.once("data", () => {
      child.kill("SIGUSR1")
      child.kill("SIGUSR2")
    })
    assert.strictEqual(await ending(child), 0)
    assert.match(out.text, /2000 test images/)
    assert.match(log.text, /asked to save: the state after step \d+ is saved/)
    assert.notMatch(log.text, /[Dd]ebugger/)
  })

  it("goes on training where its log cannot be written any more", async () => {
    const full = openSync("/dev/full", "w")
    const child = spawn(process.execPath, [MAIN, ...TRAIN, "--out", "logless"], {
      cwd: root,
      stdio: ["ignore", "pipe", full]
    })
    const out = textOf(child.stdout)
    assert.strictEqual(await ending(child), 0)
    assert.match(out.text, /2000 test images/)
  })

  it("goes on training where nobody reads its log any more", async () => {
    const child = spawn(process.execPath, [MAIN, ...TRAIN, "--out", "unread"], { cwd: root })
    const out = textOf(child.stdout)
    child.stderr.once("data", () => child.stderr.destroy())
    assert.strictEqual(await ending(child), 0)
    assert.match(out.text, /2000 test images/)
  })

  it("says in one line that what it printed was lost", async () => {
    const full = openSync("/dev/full", "w")
    const child = spawn(process.execPath, [MAIN, "recipes"], { cwd: root, stdio: ["ignore", full, "pipe"] })
    const log = textOf(child.stderr)
    assert.strictEqual(await ending(child), 1)
    assert.strictEqual(log.text, "shakedrop: what was printed could not be written: the disk is full\n")
  })

  it("ends without a word where nobody reads its output any more", async () => {
    const child = spawn(process.execPath, [MAIN, "doctor"], { cwd: root })
    const log = textOf(child.stderr)
    child.stdout.once("data", () => child.stdout.destroy())
    await ending(child)
    assert.strictEqual(log.text, "")
  })
})
