/** What is measured of ours without a peer. */
import { mkdtempSync, rmSync } from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { locateLibrary } from "../../dist/Device/Setup.js"
import { fileOf, measureInNode, run, runInNode } from "./child.mjs"
import { atExit } from "./ending.mjs"
import { networks } from "./rows.mjs"

/** Does something with a folder that is gone afterwards, also where this process is interrupted. */
export const inTemporaryFolder = async (f) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "shakedrop-bench-"))
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  const forget = atExit(remove)
  try {
    return await f(folder)
  } finally {
    remove()
    forget()
  }
}

const secondsOf = async (f) => {
  const start = performance.now()
  await f()
  return (performance.now() - start) / 1000
}

const firstStep = {
  id: "first-step",
  title: "from the start of the process to the end of the first step (quickstart)",
  measure: () =>
    inTemporaryFolder(async (folder) => ({
      seconds: { start: await secondsOf(() => runInNode("harness/first-step.mjs", folder)) }
    }))
}

const checkpoint = {
  id: "checkpoint",
  title: "checkpoint of PyramidNet-272 α200 with its momenta",
  measure: () =>
    inTemporaryFolder((folder) => {
      const { model } = networks.find(({ id }) => id === "pyramidnet-272")
      return measureInNode("harness/checkpoint.mjs", JSON.stringify(model), folder)
    })
}

const ensemble = {
  id: "ensemble",
  title: "five members' outputs for 10,000 images read, combined and judged",
  measure: () => inTemporaryFolder((folder) => measureInNode("harness/ensemble.mjs", folder))
}

/** A folder of images decoded into an empty cache, then read from it again, by the command. */
const importOf = (images) => ({
  id: "import",
  title: "a folder of images decoded, then read from the cache",
  measure: () =>
    inTemporaryFolder(async (cache) => {
      const { file } = await Effect.runPromise(locateLibrary)
      const environment = { XDG_CACHE_HOME: cache, SHAKEDROP_LIBTENSORFLOW: file }
      const command = [fileOf("../dist/Main.js"), "data", "info", "--dataset", "folder", "--data-dir", images]
      const load = () => secondsOf(() => run(process.execPath, command, environment))
      return { seconds: { decode: await load(), cached: await load() } }
    })
})

/** The rows; that of the import only where there is a folder of images. */
export const ownRows = (images) => [
  firstStep,
  checkpoint,
  ensemble,
  ...(images === undefined ? [] : [importOf(images)])
]
