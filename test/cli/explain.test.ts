import { assert, it } from "@effect/vitest"
import { explain } from "../../src/Cli/Shared/Explain.ts"
import { OutOfMemory } from "../../src/Device/Errors.ts"
import { RunError } from "../../src/Train/Run/RunError.ts"

it("errors of runs are told with the flags that help", () => {
  const told = (reason: RunError["reason"]) => explain(new RunError({ reason, message: "so it is" }))
  const flags = {
    AlreadyThere: /--resume.*--out/,
    DamagedBest: /--checkpoint latest/,
    DamagedCheckpoint: /--out/,
    DataGone: /--data-dir/,
    NoInitialWeights: /--set train\.initialWeights=FILE/,
    NoWeights: /--weights/,
    OtherData: /--data-dir/
  } as const
  for (const [reason, advice] of Object.entries(flags)) {
    const line = told(reason as RunError["reason"])
    assert.match(line, /^so it is: /)
    assert.match(line, advice)
  }
  assert.strictEqual(told("FolderGone"), "so it is")
})

it("an error is one line that cannot command the terminal", () => {
  const line = explain(new Error("cannot read a\u001b[2Jb\u202e.png:\n  it is\tbroken\r\n"))
  assert.strictEqual(line, "cannot read a\\u001b[2Jb\\u202e.png: it is\\u0009broken")
  assert.strictEqual(explain("no error"), "no error")
})

it("a device without memory is told with what takes less of it", () => {
  const line = explain(new OutOfMemory({ reason: "Program", message: "out of memory" }))
  assert.match(line, /^out of memory: .*gradientAccumulationSteps=2.*gradientCheckpointing=true.*batchSize/)
})
