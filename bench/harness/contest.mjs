/** What can be measured: our networks and pipelines beside those of the peers, all as rows of one form. */
import { writeFileSync } from "node:fs"
import * as path from "node:path"
import { drawnPixels, pipelines, toRecords } from "./augmentation.mjs"
import { measureInNode } from "./child.mjs"
import { measurePeer, measureTorchvision, peers } from "./peers.mjs"
import { networkRows, QUICK, THOROUGH } from "./rows.mjs"

/** The largest batch of a quick run. */
const SMALL = 4

const PIPELINES = {
  full: "crop, flip, AutoAugment, Cutout",
  randaugment: "crop, flip, RandAugment",
  basic: "crop, flip"
}

/** All that --peers can name, with what it is called in tables. */
export const peerTitles = {
  ...Object.fromEntries(Object.entries(peers).map(([name, { title }]) => [name, title])),
  torchvision: "torchvision"
}

/** The frameworks that the peers of some names need. */
export const frameworksOf = (names) =>
  names.flatMap((name) => (name === "torchvision" ? "torch" : (peers[name].framework ?? [])))

/** The framework that a peer needs, if any. */
const frameworkOf = (name) => frameworksOf([name])[0]

/** Why a peer cannot be measured, if so. */
export const unavailable = (name, interpreters) => interpreters[frameworkOf(name)]?.unavailable

/** Rows with a peer. `ours` and `theirs` measure once, each in a process of its own. */
export const contests = (interpreters, { quick, records }) => [
  ...networkRows.map(({ id, spec, title }) => {
    const batch = quick ? Math.min(spec.batch, SMALL) : spec.batch
    const given = { ...spec, batch, ...(quick ? QUICK : THOROUGH) }
    return {
      id,
      title: `${title}, batch ${batch}`,
      peers: Object.keys(peers),
      ours: () => measureInNode("harness/ours.mjs", JSON.stringify(given)),
      theirs: (name) => measurePeer(name, interpreters, given)
    }
  }),
  ...Object.keys(pipelines).map((name) => ({
    id: `augment/${name}`,
    title: `augmentation on one thread: ${PIPELINES[name]}`,
    peers: ["torchvision"],
    ours: () => measureInNode("harness/augment-ours.mjs", name, records, String(quick)),
    theirs: () => measureTorchvision(interpreters, name, records)
  }))
]

/** Writes the images that pipelines are measured on, those of the data set that is drawn in code. */
export const writeRecords = (folder) => {
  const file = path.join(folder, "drawn.bin")
  writeFileSync(file, toRecords(drawnPixels()))
  return file
}
