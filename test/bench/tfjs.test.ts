/** The bench replaces some of the project's modules for its peer of tfjs's own ops, by their files' names. */
import { execFile } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { assert, it } from "@effect/vitest"

interface Row {
  readonly id: string
  readonly peers: Readonly<Record<string, { readonly speed?: { readonly median: number } }>>
}

it("the bench runs bottlenecks beside tfjs, in training and in evaluation", {
  timeout: 120_000
}, async () => {
  const out = mkdtempSync(join(tmpdir(), "shakedrop-bench-"))
  try {
    const options = ["--quick", "--peers", "tfjs", "--rows", "pyramidnet-56", "--out", out]
    await promisify(execFile)(process.execPath, ["bench/run.mjs", ...options])
    const { rows }: { readonly rows: ReadonlyArray<Row> } = JSON.parse(
      readFileSync(join(out, "performance.json"), "utf8")
    )
    assert.deepStrictEqual(rows.map(({ id }) => id).sort(), ["pyramidnet-56/evaluate", "pyramidnet-56/train"])
    for (const { id, peers } of rows) assert.isAbove(peers.tfjs.speed?.median ?? 0, 0, id)
  } finally {
    rmSync(out, { recursive: true })
  }
})
