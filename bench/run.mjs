/**
 * Ours beside the programs that one would use instead, in turn in one run, so that a noisy machine disturbs all
 * alike; each is a process that stays for the row. `npm run bench -- --help` lists what it takes; docs/performance.md
 * says what it measures.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { isDeepStrictEqual } from "node:util"
import { contests, frameworksOf, peerTitles, writeRecords } from "./harness/contest.mjs"
import { gpu, machine, versions } from "./harness/machine.mjs"
import { fail, readOptions } from "./harness/options.mjs"
import { inTemporaryFolder, ownRows } from "./harness/own.mjs"
import { findInterpreters } from "./harness/peers.mjs"
import { writePlot } from "./harness/plot.mjs"
import { measureOwn, measureRow } from "./harness/rounds.mjs"
import { tables } from "./harness/tables.mjs"

const USAGE = `npm run bench -- [options]
  --rounds N      measurements of everything (10)
  --rows A,B      only these rows, by their whole name or a part of it (wrn-16-4/train, wrn-16-4, train, own)
  --peers A,B     only beside these (${Object.keys(peerTitles).join(", ")})
  --device gpu    on a GPU, beside those peers that run there (cpu)
  --precision P   of both on the GPU: float32 or bfloat16 (bfloat16)
  --no-xla        ours without XLA on the GPU
  --python PATH   an interpreter that has the peers' packages; without it they are installed into bench/.peers
  --yes           install them there without asking; else a terminal is asked, and nothing is installed without one
  --images DIR    a folder of images, whose import is measured too
  --out DIR       where performance.json and performance.png go (docs); what is not measured is kept there
  --quick         one round of small batches and few steps, to try it: its numbers say nothing`

const options = readOptions(USAGE, ["rows", "peers", "python", "images", "device", "precision"], 10, [
  "no-xla",
  "yes"
])
const { device = "cpu", out, quick, rounds } = options
if (!["cpu", "gpu"].includes(device)) fail(`--device is cpu or gpu, not ${device}`)
const precision = device === "cpu" ? "float32" : (options.precision ?? "bfloat16")
const xla = device === "gpu" && !options["no-xla"]
const names = options.peers?.split(",") ?? Object.keys(peerTitles)
const strange = names.find((name) => !Object.hasOwn(peerTitles, name))
if (strange !== undefined)
  fail(`there is no peer ${strange}: there are ${Object.keys(peerTitles).join(", ")}`)
const say = (line) => console.error(line)

/** Results of earlier runs to add to, where they are of the same machine and of no other version of anything. */
const begun = (file, facts) => {
  if (!existsSync(file)) return { ...facts, rows: [], own: [] }
  const { machine, own, rows, versions } = JSON.parse(readFileSync(file, "utf8"))
  const all = { ...versions, ...facts.versions }
  if (isDeepStrictEqual(machine, facts.machine) && isDeepStrictEqual(all, { ...facts.versions, ...versions }))
    return { machine, versions: all, rows, own }
  say(`${file} is of another machine or of other versions, and is replaced`)
  return { ...facts, rows: [], own: [] }
}

/** The peers that there are, in their order, whichever was measured first. */
const inOrder = (peers) =>
  Object.fromEntries(
    Object.keys(peerTitles).flatMap((name) => (peers[name] === undefined ? [] : [[name, peers[name]]]))
  )

/** The rows whose names are asked for, each as it is named or by a part of its name. */
const chosen = (rows) => {
  const wanted = options.rows?.split(",")
  if (wanted === undefined) return rows
  const partsOf = ({ id, measure }) => [id, ...id.split("/"), ...(measure === undefined ? [] : ["own"])]
  const unknown = wanted.find((name) => !rows.some((row) => partsOf(row).includes(name)))
  if (unknown !== undefined) {
    throw new Error(`there is no row ${unknown}: there are ${rows.map(({ id }) => id).join(", ")}`)
  }
  return rows.filter((row) => partsOf(row).some((part) => wanted.includes(part)))
}

await inTemporaryFolder(async (folder) => {
  const interpreters = {}
  const all = [
    ...contests(interpreters, { quick, records: writeRecords(folder), device, precision, xla }),
    ...ownRows(options.images && path.resolve(options.images))
  ]
  const rows = chosen(all)
  const peersOf = (row) => row.peers?.filter((name) => names.includes(name)) ?? []
  Object.assign(
    interpreters,
    await findInterpreters(frameworksOf(rows.flatMap(peersOf)), options.python, say, options.yes)
  )

  const file = path.join(out, "performance.json")
  const facts = {
    machine: { ...machine(), ...(device === "gpu" && { gpu: gpu(), precision, xla }) },
    versions: {
      ...versions(),
      ...Object.assign({}, ...Object.values(interpreters).map((found) => found.versions))
    }
  }
  const results = begun(file, facts)
  mkdirSync(out, { recursive: true })
  const placeOf = (row) => all.findIndex(({ id }) => id === row.id)
  const keep = (kind, row) => {
    const kept = results[kind].filter(({ id }) => id !== row.id)
    results[kind] = [...kept, row].sort((a, b) => placeOf(a) - placeOf(b))
    writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
  }
  for (const row of rows) {
    say(`${row.id}: ${row.title}`)
    try {
      if (row.measure === undefined) {
        const { peers, ...measured } = await measureRow(row, {
          interpreters,
          names: peersOf(row),
          rounds,
          say
        })
        const before = results.rows.find(({ id }) => id === row.id)
        keep("rows", { ...measured, peers: inOrder({ ...before?.peers, ...peers }) })
      } else {
        keep("own", await measureOwn(row, { rounds, say }))
      }
    } catch (error) {
      // The other rows can be measured all the same.
      say(`  ${row.id} is not measured: ${error.message}`)
      process.exitCode = 1
    }
  }
  await writePlot(results, path.join(out, "performance.png"))
  console.log(`${tables(results)}\n\n${file}`)
}).catch((error) => fail(error.message))
