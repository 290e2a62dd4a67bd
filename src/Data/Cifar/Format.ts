/**
 * The two published forms of the CIFAR archives, which hold the same images: "binary version" and "python version".
 * Both are described at https://www.cs.toronto.edu/~kriz/cifar.html.
 */
import { isNumpyArray, type NumpyArray, type PickleValue, text, unpickle } from "./Pickle.ts"
import { IMAGE_BYTES, type Records } from "./Records.ts"

/** Names of the files of one form, and how to read them. The readers throw an Error with a one-line message. */
export interface Format {
  /** The archive as published, and the folder that is in it. */
  readonly archive: string
  readonly folder: string
  readonly train: ReadonlyArray<string>
  readonly test: string
  /** The file with the class names. */
  readonly names: string
  readonly readRecords: (bytes: Buffer) => Records
  readonly readNames: (bytes: Buffer) => ReadonlyArray<string>
}

type Files = Pick<Format, "archive" | "folder" | "train" | "test" | "names">

/**
 * The binary version: records of some label bytes, of which one is wanted, and an image. Class names are lines of
 * text.
 */
const binary = (files: Files, labelBytes: number, wanted: number): Format => {
  const stride = labelBytes + IMAGE_BYTES
  return {
    ...files,
    readRecords: (bytes) => {
      if (bytes.length % stride !== 0)
        throw new Error(
          `it is cut off: its ${bytes.length} bytes are not a whole number of records of ${stride} bytes`
        )
      const labels = Array.from({ length: bytes.length / stride }, (_, i) => bytes[i * stride + wanted])
      return { labels, bytes, first: labelBytes, stride }
    },
    readNames: (bytes) =>
      bytes
        .toString()
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== "")
  }
}

const entry = (pickle: PickleValue, key: string): PickleValue => {
  const value = pickle instanceof Map ? pickle.get(key) : undefined
  if (value === undefined) throw new Error(`it has no entry "${key}"`)
  return value
}

/** The rows of a matrix one after the other. */
const rowMajor = ({ shape: [rows, columns], bytes, fortran }: NumpyArray): Uint8Array => {
  if (!fortran) return bytes
  const turned = new Uint8Array(bytes.length)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      turned[row * columns + column] = bytes[column * rows + row]
  return turned
}

/** The python version: a pickled dictionary with an array `data` of a row an image, and lists of labels. */
const python = (files: Files, labelsKey: string, namesKey: string): Format => ({
  ...files,
  readRecords: (file) => {
    const pickle = unpickle(file)
    const labels = entry(pickle, labelsKey)
    const data = entry(pickle, "data")
    if (!Array.isArray(labels)) throw new Error(`its entry "${labelsKey}" is not a list`)
    const fits =
      isNumpyArray(data) &&
      data.dtype === "u1" &&
      data.shape.length === 2 &&
      data.shape[0] === labels.length &&
      data.shape[1] === IMAGE_BYTES &&
      data.bytes.length === labels.length * IMAGE_BYTES
    if (!fits)
      throw new Error(
        `its entry "data" is not an array of ${labels.length}×${IMAGE_BYTES} bytes, a row a label`
      )
    return { labels: labels.map(Number), bytes: rowMajor(data), first: 0, stride: IMAGE_BYTES }
  },
  readNames: (file) => {
    const names = entry(unpickle(file), namesKey)
    if (!Array.isArray(names)) throw new Error(`its entry "${namesKey}" is not a list`)
    return names.map((name) => text(name) ?? "")
  }
})

const BATCHES = [1, 2, 3, 4, 5]

/** CIFAR-10: five batches of training images, and labels of one kind. */
export const cifar10Formats: ReadonlyArray<Format> = [
  binary(
    {
      archive: "cifar-10-binary.tar.gz",
      folder: "cifar-10-batches-bin",
      train: BATCHES.map((i) => `data_batch_${i}.bin`),
      test: "test_batch.bin",
      names: "batches.meta.txt"
    },
    1,
    0
  ),
  python(
    {
      archive: "cifar-10-python.tar.gz",
      folder: "cifar-10-batches-py",
      train: BATCHES.map((i) => `data_batch_${i}`),
      test: "test_batch",
      names: "batches.meta"
    },
    "labels",
    "label_names"
  )
]

/** CIFAR-100: one file of training images; in the binary version the coarse label comes before the fine one. */
export const cifar100Formats = (labels: "fine" | "coarse"): ReadonlyArray<Format> => [
  binary(
    {
      archive: "cifar-100-binary.tar.gz",
      folder: "cifar-100-binary",
      train: ["train.bin"],
      test: "test.bin",
      names: `${labels}_label_names.txt`
    },
    2,
    labels === "coarse" ? 0 : 1
  ),
  python(
    {
      archive: "cifar-100-python.tar.gz",
      folder: "cifar-100-python",
      train: ["train"],
      test: "test",
      names: "meta"
    },
    `${labels}_labels`,
    `${labels}_label_names`
  )
]
