/** What a measurement was made on and with. */
import { execFileSync } from "node:child_process"
import * as os from "node:os"
import { cpu } from "../../dist/Device/Setup/Diagnosis.js"
import { TENSORFLOW_VERSION } from "../../dist/Device.js"
import { VERSION } from "../../dist/Platform/Version.js"

/** `features` are the instruction sets that oneDNN chooses by. */
export const machine = () => ({
  ...cpu(),
  memoryGiB: Math.round(os.totalmem() / 2 ** 30),
  system: `${os.type()} ${os.release()} ${os.arch()}`
})

/** Name and driver of the first GPU. */
export const gpu = () =>
  execFileSync("nvidia-smi", ["--query-gpu=name,driver_version", "--format=csv,noheader", "--id=0"], {
    encoding: "utf8"
  }).trim()

export const versions = () => ({
  shakedrop: VERSION,
  libtensorflow: TENSORFLOW_VERSION,
  node: process.versions.node
})
