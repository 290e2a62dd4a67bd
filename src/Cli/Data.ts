/**
 * `shakedrop data`: fetch a data set, prepare a folder of images, look at what there is.
 */
import * as path from "node:path"
import * as Console from "effect/Console"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { LoadedDataset, Split, SplitName } from "../Data.ts"
import { writeFileAtomic } from "../Platform/Files.ts"
import { oneLine } from "../Platform/Text.ts"
import { downloadCommand } from "./Data/Download.ts"
import { loadAsked } from "./Shared/Dataset.ts"
import { dataDirFlag, datasetFlag, withShownDefault } from "./Shared/Flags.ts"
import { writtenTo } from "./Shared/Paths.ts"

const SPLITS: ReadonlyArray<SplitName> = ["train", "validation", "test"]

/** Images of each class in the contact sheet. */
const SAMPLES = 10

const sizeFlag = Flag.Int("size").pipe(
  withShownDefault("Side in pixels that the images of a folder are resized to", 32)
)

const skipFlag = Flag.Boolean("skip-unreadable").pipe(
  Flag.withDescription("Leave unreadable images of a folder out instead of stopping at the first one"),
  Flag.withDefault(false)
)

/** Number of images of each class in a split. */
const countClasses = ({ labels, indices }: Split, classes: number): Array<number> => {
  const counts = new Array<number>(classes).fill(0)
  for (const index of indices) counts[labels[index]]++
  return counts
}

/** Name, counts of each class in each split, mean, standard deviation and fingerprint, as text. */
const describe = (dataset: LoadedDataset): string => {
  const { classes, train } = dataset
  const counts = SPLITS.map((split) => countClasses(dataset[split], classes.length))
  const rows = [
    ["class", ...SPLITS],
    ...classes.map((name, label) => [oneLine(name), ...counts.map((count) => String(count[label]))]),
    ["total", ...SPLITS.map((split) => String(dataset[split].indices.length))]
  ]
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  const table = rows.map(([name, ...cells]) =>
    [name.padEnd(widths[0]), ...cells.map((cell, i) => cell.padStart(widths[i + 1]))].join("  ")
  )
  const perChannel = (values: ReadonlyArray<number>) => values.map((value) => value.toFixed(4)).join(" ")
  return [
    `${dataset.name}: ${classes.length} classes, images of ${train.images.height}×${train.images.width} pixels`,
    "",
    ...table,
    "",
    `mean         ${perChannel(dataset.mean)}`,
    `std          ${perChannel(dataset.std)}`,
    `fingerprint  ${dataset.fingerprint}`
  ].join("\n")
}

/** The first training images of each class, a row a class. */
const samplesOf = ({ classes, train }: LoadedDataset) => {
  const { pixels, height, width } = train.images
  const size = height * width * 3
  return classes.flatMap((label, classIndex) => {
    const indices = train.indices.filter((index) => train.labels[index] === classIndex).slice(0, SAMPLES)
    return Array.from({ length: SAMPLES }, (_, i) =>
      i < indices.length
        ? { pixels: pixels.subarray(indices[i] * size, (indices[i] + 1) * size), height, width, label }
        : { pixels: new Uint8Array(size).fill(255), height, width }
    )
  })
}

const importCommand = Command.make(
  "import",
  {
    folder: Argument.String("directory").pipe(
      Argument.withDescription("The same as --data-dir"),
      Argument.optional
    ),
    directory: dataDirFlag("Folder with train/<class>/*.png and test/<class>/*.png, or <class>/*.png alone"),
    size: sizeFlag,
    skipUnreadable: skipFlag
  },
  Effect.fn("data import")(function* ({ directory, folder, size, skipUnreadable }) {
    const started = performance.now()
    const from = Option.getOrUndefined(Option.orElse(directory, () => folder))
    const dataset = yield* loadAsked({
      ...{ dataset: "folder", size, skipUnreadable },
      ...(from !== undefined && { directory: from })
    })
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    const { train, test, classes } = dataset
    yield* Console.log(
      `${dataset.name}: ${train.images.count} training and ${test.images.count} test images of ${classes.length} classes in ${seconds} s; use it with --dataset folder --data-dir ${from}`
    )
  })
).pipe(
  Command.withDescription("Decode an image folder into the cache, so that training starts at once"),
  Command.withExamples([
    { command: "shakedrop data import --data-dir photos", description: "A folder of images of your own" }
  ])
)

const infoCommand = Command.make(
  "info",
  {
    dataset: datasetFlag.pipe(withShownDefault("Which data set", "shapes")),
    directory: dataDirFlag("Where it lies; shapes needs none"),
    labels: Flag.Literals("labels", ["fine", "coarse"]).pipe(
      withShownDefault("Labels of CIFAR-100: 100 fine or 20 coarse classes", "fine")
    ),
    size: sizeFlag,
    skipUnreadable: skipFlag,
    out: writtenTo("out", "file").pipe(
      Flag.withDescription("Write a contact sheet, a row of training images for each class, to this PNG"),
      Flag.optional
    )
  },
  Effect.fn("data info")(function* ({ out, directory, ...flags }) {
    const dataset = yield* loadAsked({
      ...flags,
      ...(Option.isSome(directory) ? { directory: directory.value } : {})
    })
    yield* Console.log(describe(dataset))
    if (Option.isNone(out)) return
    const { contactSheet } = yield* Effect.promise(() => import("../Report/Sheet/ContactSheet.ts"))
    const scale = Math.max(1, Math.round(64 / dataset.train.images.width))
    yield* writeFileAtomic(out.value, yield* contactSheet(samplesOf(dataset), { columns: SAMPLES, scale }))
    yield* Console.log(`contact sheet  ${path.resolve(out.value)}`)
  })
).pipe(
  Command.withDescription("Show counts per class, mean and standard deviation, and a contact sheet"),
  Command.withExamples([
    {
      command: "shakedrop data info --dataset folder --data-dir photos --out photos.png",
      description: "A folder of images of your own, with a picture of some"
    }
  ])
)

export const dataCommand = Command.make("data").pipe(
  Command.withDescription("Fetch, prepare and look at data sets"),
  Command.withExamples([
    { command: "shakedrop data info", description: "The images that are drawn in code" }
  ]),
  Command.withSubcommands([downloadCommand, importCommand, infoCommand])
)
