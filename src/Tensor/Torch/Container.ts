/**
 * The two forms of `torch.save`: since PyTorch 1.6 a zip archive with a pickle and a file for each storage, before that
 * pickles one after the other and the storages behind them. Neither is compressed, so that storages are views of the
 * file.
 */
import * as yauzl from "yauzl"
import { unpickle } from "../../Pickle.ts"
import { READINGS } from "../Elements.ts"
import { type Storage, type TorchValue, torch } from "./Vocabulary.ts"

export interface Container {
  readonly value: TorchValue
  /** A storage's bytes, where the file has all of them. */
  readonly bytesOf: (storage: Storage) => Uint8Array | undefined
}

/** Tensors of a checkpoint, with those of its optimiser, that are expected at most: each takes some operations. */
const PARTS = 60_000

const LARGEST_PICKLE = 64 << 20

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1").trim()

/** The files of an archive as views of it. */
const filesOf = async (archive: Buffer): Promise<ReadonlyMap<string, Uint8Array>> => {
  const zip = await yauzl.fromBufferPromise(archive)
  const files = new Map<string, Uint8Array>()
  for await (const entry of zip.eachEntry()) {
    const { compressedSize, compressionMethod, fileName, uncompressedSize } = entry
    if (fileName.endsWith("/")) continue
    if (compressionMethod !== 0 || entry.isEncrypted() || compressedSize !== uncompressedSize)
      throw new Error("its files are compressed, which PyTorch's are not")
    if (files.has(fileName)) throw new Error("it has two files of one name")
    const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true })
    if (fileDataStart + uncompressedSize > archive.length) throw new Error("it is cut off")
    files.set(fileName, archive.subarray(fileDataStart, fileDataStart + uncompressedSize))
  }
  return files
}

const zipContainer = async (archive: Buffer): Promise<Container> => {
  const files = await filesOf(archive)
  const pickle = [...files.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name))
  if (pickle === undefined) throw new Error("it is a zip archive without data.pkl, which torch.save writes")
  const folder = pickle.slice(0, -"data.pkl".length)
  const order = files.get(`${folder}byteorder`)
  if (order !== undefined && text(order) !== "little") throw new Error("its numbers are big-endian")
  const contents = files.get(pickle) as Uint8Array
  if (contents.length > LARGEST_PICKLE) throw new Error("its pickle is larger than that of any checkpoint")
  const { value } = unpickle(contents, torch, PARTS)
  return { value, bytesOf: ({ key }) => files.get(`${folder}data/${key}`) }
}

/** The number that the older form begins with, as a pickle. */
const MAGIC = Buffer.from("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", "latin1")

const PROTOCOL = 1001

/** Storages behind the pickles: a count of elements and these, in the order of a list of keys. */
const storagesBehind = (
  bytes: Buffer,
  start: number,
  keys: ReadonlyArray<TorchValue>,
  types: ReadonlyMap<string, string>
): ReadonlyMap<string, Uint8Array> => {
  const storages = new Map<string, Uint8Array>()
  let at = start
  for (const key of keys) {
    const dtype = typeof key === "string" ? types.get(key) : undefined
    if (dtype === undefined || !Object.hasOwn(READINGS, dtype))
      throw new Error(`it has numbers of a type that cannot be read${dtype ? `: ${dtype}` : ""}`)
    if (at + 8 > bytes.length) throw new Error("it is cut off")
    const length = Number(bytes.readBigInt64LE(at)) * READINGS[dtype].bytes
    at += 8
    if (length < 0 || at + length > bytes.length) throw new Error("it is cut off")
    storages.set(key as string, bytes.subarray(at, at + length))
    at += length
  }
  return storages
}

const legacyContainer = (bytes: Buffer): Container => {
  let at = MAGIC.length
  const types = new Map<string, string>()
  const next = (): TorchValue => {
    const vocabulary = {
      ...torch,
      outside: (name: TorchValue) => {
        const storage = torch.outside(name)
        if (typeof storage === "object" && storage !== null && "key" in storage)
          types.set(storage.key, storage.dtype)
        return storage
      }
    }
    const { end, value } = unpickle(bytes.subarray(at), vocabulary, PARTS)
    at += end
    return value
  }
  if (next() !== PROTOCOL) throw new Error("it is of an unknown version of torch.save")
  const system = next()
  if (!(system instanceof Map) || system.get("little_endian") !== true)
    throw new Error("its numbers are big-endian")
  const value = next()
  const keys = next()
  if (!Array.isArray(keys)) throw new Error("it has no list of its storages")
  const storages = storagesBehind(bytes, at, keys, types)
  return { value, bytesOf: ({ key }) => storages.get(key) }
}

/** Opens a file of `torch.save`. Rejects with an Error in one line for any other, and for one that is damaged. */
export const openContainer = async (file: Buffer): Promise<Container> => {
  if (file.subarray(0, MAGIC.length).equals(MAGIC)) return legacyContainer(file)
  if (file[0] === MAGIC[0]) throw new Error("it is a Python pickle, but not one of torch.save")
  return await zipContainer(file)
}
