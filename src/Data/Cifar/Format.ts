/**
 * The two published forms of the CIFAR archives, which hold the same images: "binary version" and "python version".
 * Both are described at https://www.cs.toronto.edu/~kriz/cifar.html.
 */

import { text, unpickle } from "../../Pickle.ts"
import type { Limits } from "./Archive.ts"
import { integers, isNumpyArray, type NumpyArray, numpy, type PickleValue } from "./Numpy.ts"
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
  /** Bytes that each file can have at most: of as many images as were published. */
  readonly limits: Limits
  readonly readRecords: (bytes: Buffer) => Records
  readonly readNames: (bytes: Buffer) => ReadonlyArray<string>
}

type Files = Pick<Format, "archive" | "folder" | "train" | "test" | "names">

/** Images of each published data set. */
export const TRAIN = 50_000
export const TEST = 10_000

/** Class names are a few letters each. */
const NAMES_BYTES = 64 << 10

/** The most that files can have whose images take so many bytes. */
const limitsOf = ({ names, test, train }: Files, imageBytes: number, rest = 0): Limits =>
  new Map([
    ...train.map((file) => [file, (TRAIN / train.length) * imageBytes + rest] as const),
    [test, TEST * imageBytes + rest],
    [names, NAMES_BYTES]
  ])

/**
 * The binary version: records of some label bytes, of which one is wanted, and an image. Class names are lines of
 * text.
 */
const binary = (files: Files, labelBytes: number, wanted: number): Format => {
  const stride = labelBytes + IMAGE_BYTES
  return {
    ...files,
    limits: limitsOf(files, stride),
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

/** Values of an image in a pickle: two labels, and a name. */
const PARTS = 3

/** Bytes of an image's labels and name in a pickle at most, and of everything that is there once. */
const PICKLED_EXTRA = 1024
const PICKLED_REST = 64 << 10

/** Labels as a list of integers, Python's or NumPy's, or as one array. */
const labelsIn = (pickle: PickleValue, key: string): ReadonlyArray<number> => {
  const value = entry(pickle, key)
  const labels = isNumpyArray(value) && value.shape.length === 1 ? integers(value) : value
  const isList = Array.isArray(labels) && labels.every((label) => Number.isSafeInteger(label))
  if (!isList) throw new Error(`its entry "${key}" is not a list of integers`)
  return labels as ReadonlyArray<number>
}

/**
 * The python version: a pickled dictionary with an array `data` of a row an image, and lists of labels. A protocol that
 * has no bytes writes most of them as two.
 */
const python = (files: Files, labelsKey: string, namesKey: string): Format => ({
  ...files,
  limits: limitsOf(files, 2 * IMAGE_BYTES + PICKLED_EXTRA, PICKLED_REST),
  readRecords: (file) => {
    const images = Math.ceil(file.length / IMAGE_BYTES)
    const { value: pickle } = unpickle(file, numpy, PARTS * images)
    const labels = labelsIn(pickle, labelsKey)
    const data = entry(pickle, "data")
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
    return { labels, bytes: rowMajor(data), first: 0, stride: IMAGE_BYTES }
  },
  readNames: (file) => {
    const names = entry(unpickle(file, numpy).value, namesKey)
    if (!Array.isArray(names)) throw new Error(`its entry "${namesKey}" is not a list`)
    return names.map((name) => {
      const given = text(name)
      if (given === undefined) throw new Error(`its entry "${namesKey}" holds something other than names`)
      return given
    })
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
