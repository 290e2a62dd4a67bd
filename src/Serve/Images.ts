/** Image files for a network: found, decoded and classified in batches. */
import * as fs from "node:fs/promises"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { decodeImages } from "../Data/ImageFolder/Decode.ts"
import { Device } from "../Device.ts"
import { storageError } from "../Storage.ts"
import { uint8 } from "../Tensor.ts"
import { softmax } from "../Train/Evaluation.ts"
import { evaluationEntry } from "../Train/Programs.ts"
import type { Served } from "./Run.ts"

/** Images in one run of the graph. */
const BATCH = 64

const isImage = (name: string): boolean => /\.(png|jpe?g|webp)$/i.test(name)

/** The images below a folder, sorted by path; hidden files and folders are left out. */
const walk = async (directory: string): Promise<Array<string>> => {
  const entries = await fs.readdir(directory, { withFileTypes: true })
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  const found: Array<string> = []
  for (const entry of entries) {
    if (entry.name.startsWith(".")) continue
    const file = path.join(directory, entry.name)
    if (entry.isDirectory()) found.push(...(await walk(file)))
    else if (isImage(entry.name)) found.push(file)
  }
  return found
}

/** The files that paths stand for: a folder for the images below it, anything else for itself. */
export const filesOf = (paths: ReadonlyArray<string>) =>
  Effect.map(
    Effect.forEach(paths, (given) =>
      Effect.tryPromise({
        try: async () => ((await fs.stat(given)).isDirectory() ? walk(given) : [given]),
        catch: storageError("read", given)
      })
    ),
    (files) => files.flat()
  )

export interface Prediction {
  readonly file: string
  /** Of every class, in the order of the network's. */
  readonly probabilities: Float64Array
}

/** A file that could not be read as an image. */
export interface Unreadable {
  readonly file: string
  readonly reason: string
}

const decodeBatch = (files: ReadonlyArray<string>, { size }: Served) =>
  Effect.map(
    decodeImages(
      "",
      files.map((file) => ({ path: file, label: 0, bytes: 0, changed: 0 })),
      { ...size, skipUnreadable: true, onDecoded: () => {} }
    ),
    ({ images, skipped }) => {
      const unreadable = skipped.map(({ path, reason }): Unreadable => ({ file: path, reason }))
      const without = new Set(unreadable.map(({ file }) => file))
      return { files: files.filter((file) => !without.has(file)), pixels: images.pixels, unreadable }
    }
  )

/** Compiles a network for image files, and gives the predictions of any number of them, a batch at a time. */
export const classifier = Effect.fn("classifier")(function* (served: Served) {
  const device = yield* Device
  const { network, size, weights } = served
  const images = { ...served, batchSize: BATCH }
  const program = yield* device.compile(weights, { classify: evaluationEntry(network, images) })
  const shape = [BATCH, size.height, size.width, 3]

  const classify = Effect.fnUntraced(function* (group: ReadonlyArray<string>) {
    const { files, pixels, unreadable } = yield* decodeBatch(group, served)
    if (files.length === 0) return { predictions: [], unreadable }
    const padded = new Uint8Array(BATCH * size.height * size.width * 3)
    padded.set(pixels)
    const { logits } = yield* program.run("classify", { images: uint8(shape, padded) })
    const predictions = files.map((file, i): Prediction => {
      const row = (logits.data as Float32Array).subarray(i * network.classes, (i + 1) * network.classes)
      return { file, probabilities: softmax(row, new Float64Array(network.classes)) }
    })
    return { predictions, unreadable }
  })

  return (files: ReadonlyArray<string>) =>
    Stream.fromIterable(files).pipe(Stream.grouped(BATCH), Stream.mapEffect(classify))
})
