/** What can be measured: our networks and pipelines beside those of the peers, all as rows of one form. */
import { writeFileSync } from "node:fs"
import * as path from "node:path"
import { drawnPixels, IMAGES, pipelines, toRecords } from "./augmentation.mjs"
import { peers, startInNode, startPeer, startTorchvision } from "./peers.mjs"
import { networkRows, QUICK, TURN, TURN_ON_GPU } from "./rows.mjs"

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

/** Rows with a peer. `ours` and `theirs` start a process that takes turns. */
export const contests = (interpreters, { device, precision, quick, records, xla }) => {
  const turn = quick ? QUICK : device === "gpu" ? TURN_ON_GPU : TURN
  return [
    ...networkRows.map(({ id, spec, title }) => {
      const batch = quick ? Math.min(spec.batch, SMALL) : spec.batch
      const given = { ...spec, batch, ...turn, device, precision, xla }
      return {
        id,
        title: `${title}, batch ${batch}`,
        peers: Object.keys(peers).filter((name) => device === "cpu" || peers[name].gpu),
        ours: () => startInNode("harness/ours.mjs", given),
        theirs: (name) => startPeer(name, interpreters, given)
      }
    }),
    ...Object.keys(pipelines).map((pipeline) => {
      // A step is a pass over all images.
      const given = { pipeline, file: records, batch: IMAGES, ...turn }
      return {
        id: `augment/${pipeline}`,
        title: `augmentation on one thread: ${PIPELINES[pipeline]}`,
        peers: ["torchvision"],
        ours: () => startInNode("harness/augment-ours.mjs", given),
        theirs: () => startTorchvision(interpreters, given)
      }
    })
  ]
}

/** Writes the images that pipelines are measured on, those of the data set that is drawn in code. */
export const writeRecords = (folder) => {
  const file = path.join(folder, "drawn.bin")
  writeFileSync(file, toRecords(drawnPixels()))
  return file
}
