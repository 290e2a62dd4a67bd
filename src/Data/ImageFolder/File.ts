/** An image's file: read within bounds, and what is wrong with it in words. */
import * as fs from "node:fs/promises"
import { storageError } from "../../Platform/Files.ts"
import { formatOf, isDecoded, START, whyNot } from "./Format.ts"

/** Pixels of an image at most: sharp's own limit, 16,383 squared. A small file can unpack to any number. */
export const MOST_PIXELS = 16_383 ** 2

/** Bytes of an image's file at most. */
const MOST_BYTES = 512 << 20

/** What the operating system says of a file, without the path that the caller names anyway. */
const inWords = (cause: unknown): Error => {
  const { message } = storageError("read", "")(cause)
  return new Error(message.replace(/^cannot read : /, ""), { cause })
}

/**
 * The bytes of a file that is an image by its first ones. Only a regular file is opened: a pipe would block, and a
 * device might never end. A failure's message says what the file is instead.
 */
export const readImage = async (file: string): Promise<Buffer> => {
  const stats = await fs.stat(file).catch((cause: unknown) => {
    throw file.includes("\ufffd")
      ? new Error("its name is not UTF-8, so that it cannot be opened (rename it)")
      : inWords(cause)
  })
  if (!stats.isFile()) throw new Error("it is a pipe, a socket or a device, not a regular file")
  if (stats.size > MOST_BYTES)
    throw new Error(
      `it has ${stats.size.toLocaleString("en-GB")} bytes, and an image at most ${MOST_BYTES.toLocaleString("en-GB")}`
    )
  const bytes = await fs.readFile(file).catch((cause: unknown) => {
    throw inWords(cause)
  })
  const format = formatOf(bytes.subarray(0, START))
  if (!isDecoded(format)) throw new Error(`it is ${whyNot(format)}`)
  return bytes
}

/** What libraries of formats say where a file ends too early. */
const CUT =
  /premature end|end of (file|stream|image)|unexpected eof|too short|truncat|bad seek|not enough|out of data|read error/i

/** Why an image could not be decoded, by what sharp says. */
export const whyDamaged = (cause: unknown, bytes: Uint8Array, mostPixels: number): string => {
  const [said] = String((cause as Error).message ?? cause).split("\n")
  if (/pixel limit/i.test(said)) return `it has more than ${mostPixels.toLocaleString("en-GB")} pixels`
  const format = formatOf(bytes.subarray(0, START))
  return `the ${format} is ${CUT.test(said) ? "cut off" : "damaged"} (${said})`
}
