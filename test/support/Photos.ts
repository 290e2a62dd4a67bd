/** A folder of small images, for runs in processes of their own: the procedural data set takes each some seconds to draw. */
import { mkdirSync } from "node:fs"
import * as path from "node:path"
import sharp from "sharp"
import { draws } from "../../src/Random.ts"

const SIDE = 8

/** Hue of each class. */
const CLASSES = { blue: [0, 0, 60], green: [0, 60, 0], red: [60, 0, 0] }

/** Writes `train` and `test` images of each of three classes, 8×8 pixels of noise with the class's colour in it. */
export const writePhotos = async (
  folder: string,
  counts: { readonly train: number; readonly test: number }
) => {
  const random = draws(1, "photos")
  for (const [split, count] of Object.entries(counts))
    for (const [name, hue] of Object.entries(CLASSES)) {
      const at = path.join(folder, split, name)
      mkdirSync(at, { recursive: true })
      for (let i = 0; i < count; i++) {
        const pixels = Uint8Array.from(
          { length: SIDE * SIDE * 3 },
          (_, j) => 60 + random.int(80) + hue[j % 3]
        )
        await sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 3 } })
          .png()
          .toFile(path.join(at, `${i}.png`))
      }
    }
}

/** What a configuration says of them. */
export const photoData = { dataset: "folder", directory: "photos", size: SIDE } as const
