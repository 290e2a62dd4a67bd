/** Replicas as processes: one that is killed is named, and they start again from the last checkpoint. */
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { afterAll, assert, it } from "@effect/vitest"

const MAIN = path.resolve("dist/Main.js")
const root = mkdtempSync(path.join(tmpdir(), "shakedrop-replicas-"))
afterAll(() => rmSync(root, { recursive: true }))

const run = (args: ReadonlyArray<string>) => {
  const child = spawn(process.execPath, [MAIN, "train", ...args], { cwd: root })
  let text = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      text += chunk
    })
  }
  const ended = new Promise<{ readonly code: number | null; readonly text: string }>((resolve) =>
    child.once("close", (code) => resolve({ code, text }))
  )
  return { child, ended }
}

/** The process of a rank among the children of another. */
const childOf = (parent: number, rank: number): number | undefined =>
  readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8")
    .trim()
    .split(" ")
    .map(Number)
    .find((child) => readFileSync(`/proc/${child}/environ`, "utf8").split("\0").includes(`RANK=${rank}`))

it("a replica that is killed is named, and all start again from the last checkpoint", async () => {
  const { child, ended } = run([
    ...["--replicas", "2", "--restarts", "1", "--device", "cpu", "--out", "run"],
    ...["--set", "train.epochs=2", "--set", "train.batchSize=512", "--set", "model.width=2"],
    ...["--set", "train.saveMinutes=1e-5"]
  ])
  const checkpoints = path.join(root, "run/checkpoints")
  const isSaved = (): boolean =>
    existsSync(checkpoints) && readdirSync(checkpoints).some((file) => /^step-\d+\.json$/.test(file))
  const watch = setInterval(() => {
    const other = isSaved() ? childOf(child.pid!, 1) : undefined
    if (other === undefined) return
    clearInterval(watch)
    process.kill(other, "SIGKILL")
  }, 5)
  const { code, text } = await ended
  clearInterval(watch)
  assert.match(text, /replica 1 \(127\.0\.0\.1:\d+\) was lost at step \d+: its process is gone/)
  assert.match(text, /starting 2 replicas again \(1 of 1\)/)
  assert.match(text, /continued after step [1-9]/)
  assert.strictEqual(code, 0, text)
  assert.isTrue(existsSync(path.join(root, "run/result.json")))
})

it("half a place among replicas is refused in one line", async () => {
  const { code, text } = await run(["--rank", "1", "--world-size", "2"]).ended
  assert.strictEqual(code, 1)
  assert.match(
    text,
    /^shakedrop: this process is replica 1 of 2 by the flags, but nothing says where .*--coordinator.*\n$/
  )
})
