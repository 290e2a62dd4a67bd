/**
 * What a file is by its first bytes: for a message about one that is not what it was taken for, as a page that a server
 * sent in place of a file.
 */

/** First bytes that are enough to tell. */
export const KIND_BYTES = 512

const MAGIC: ReadonlyArray<readonly [start: string, kind: string]> = [
  ["version https://git-lfs", "a Git LFS pointer, which stands for a file that was not fetched"],
  ["PK\x03\x04", "a zip archive, as PyTorch's .pth and NumPy's .npz are"],
  ["\x1f\x8b", "a gzip archive"],
  ["BZh", "a bzip2 archive"],
  ["\xfd7zXZ\0", "an xz archive"],
  ["\x28\xb5\x2f\xfd", "a Zstandard archive"],
  ["7z\xbc\xaf\x27\x1c", "a 7-Zip archive"],
  ["Rar!", "a RAR archive"],
  ["\x89HDF", "an HDF5 file, as Keras's .h5 are"],
  ["\x93NUMPY", "a NumPy array (.npy)"],
  ["GGUF", "a GGUF file"],
  ["%PDF", "a PDF document"],
  ["{", "a JSON text"],
  ["<?xml", "an XML text"]
]

const HTML = /^(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body|!--|script|title)/i

/** What servers send in place of a file that they do not give. */
export const WEB_PAGE = "a web page (HTML)"

/** What a file is, as `a web page (HTML)`, where its first bytes tell. */
export const kindOf = (start: Uint8Array): string | undefined => {
  const text = Buffer.from(start.buffer, start.byteOffset, Math.min(start.length, KIND_BYTES)).toString(
    "latin1"
  )
  if (text === "") return "an empty file"
  if (start.every((byte) => byte === 0)) return "a file of zeros"
  if (HTML.test(text)) return WEB_PAGE
  if (start[0] === 0x80 && start[1] >= 2 && start[1] <= 5)
    return "a Python pickle, as PyTorch's older .pth are"
  if (text.slice(257, 262) === "ustar") return "a tar archive"
  return MAGIC.find(([magic]) => text.startsWith(magic))?.[1]
}
