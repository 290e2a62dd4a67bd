/**
 * What a file is, by its first bytes (magic numbers): names lie, and a web page that was saved as `cat.jpg` should be
 * called one.
 */

/** Bytes of a file's start that tell what it is. */
export const START = 1024

/** What sharp, as it is installed, decodes from memory. */
const DECODED = ["JPEG", "PNG", "WebP", "GIF", "TIFF", "AVIF", "SVG"] as const

/** Endings of what is decoded. */
const DECODED_ENDING = /\.(jpe?g|jpe|jfif|pjpe?g|pjp|png|apng|webp|gif|tiff?|avif|svg)$/i

/** Endings of images whose first bytes do not tell, or tell of the TIFF that a camera's raw image is kept in. */
const OTHER_ENDINGS: ReadonlyArray<readonly [ending: RegExp, what: string]> = [
  [
    /\.(3fr|arw|cr2|cr3|dcr|dng|erf|iiq|k25|kdc|mrw|nef|nrw|orf|pef|raf|raw|rw2|srw|x3f)$/i,
    "camera raw image"
  ],
  [/\.(tga|icb|vda|vst)$/i, "TGA image"],
  [/\.pcx$/i, "PCX image"]
]

/** Major brands of ISO base media files (ISO/IEC 14496-12), and what they are. */
const BRANDS: Readonly<Record<string, string>> = {
  avif: "AVIF image",
  avis: "AVIF image",
  heic: "HEIC image",
  heix: "HEIC image",
  heim: "HEIC image",
  heis: "HEIC image",
  hevc: "HEIC image",
  hevx: "HEIC image",
  "crx ": "camera raw image",
  "jxl ": "JPEG XL image"
}

/** What files hold near their beginning, a character a byte: at 0 or where it is said. */
const BEGINNINGS: ReadonlyArray<readonly [what: string, bytes: string, at?: number]> = [
  ["JPEG image", "\xff\xd8\xff"],
  ["PNG image", "\x89PNG\r\n\x1a\n"],
  ["WebP image", "WEBP", 8],
  ["GIF image", "GIF87a"],
  ["GIF image", "GIF89a"],
  ["TIFF image", "II*\0"],
  ["TIFF image", "MM\0*"],
  ["TIFF image", "II+\0"],
  ["TIFF image", "MM\0+"],
  ["JPEG XL image", "\xff\x0a"],
  ["JPEG XL image", "\0\0\0\x0cJXL "],
  ["JPEG 2000 image", "\0\0\0\x0cjP  "],
  ["JPEG 2000 image", "\xff\x4f\xff\x51"],
  ["ICO image", "\0\0\x01\0"],
  ["PSD image", "8BPS"],
  ["OpenEXR image", "\x76\x2f\x31\x01"],
  ["Radiance image", "#?RADIANCE"],
  ["Radiance image", "#?RGBE"],
  ["FITS image", "SIMPLE  ="],
  ["DDS image", "DDS "],
  ["DICOM image", "DICM", 128],
  ["Git LFS pointer", "version https://git-lfs.github.com/spec/"],
  ["PDF file", "%PDF-"],
  ["ZIP archive", "PK\x03\x04"],
  ["gzip archive", "\x1f\x8b"],
  ["RAR archive", "Rar!"],
  ["7z archive", "7z\xbc\xaf"]
]

/** The image in an ISO base media file; other brands are videos, but for those of collections of images. */
const isoMedia = (text: string): string => {
  const size = Math.min(text.length, (text.charCodeAt(2) << 8) | text.charCodeAt(3))
  const brands = [text.slice(8, 12), ...(text.slice(16, size).match(/.{4}/gs) ?? [])]
  // A sequence or a collection says by its other brands how its images are coded.
  const known = brands.find((brand) => brand in BRANDS)
  if (known !== undefined) return BRANDS[known]
  return brands.some((brand) => brand === "mif1" || brand === "msf1") ? "HEIF image" : "video"
}

/** What a text is: a page, a drawing, or only a text. Undefined where bytes are no text. */
const textual = (bytes: Uint8Array): string | undefined => {
  let text: string
  try {
    // A character may be cut at the end.
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true })
  } catch {
    return undefined
  }
  if (/(?!\s)\p{Cc}/u.test(text)) return undefined
  const start = text.trimStart().toLowerCase()
  if (/^(<!--.*?-->\s*)*<(!doctype html|html|head|body)\b/s.test(start)) return "HTML page"
  return /^<(\?xml|!--|!doctype svg|svg)/.test(start) && start.includes("<svg") ? "SVG image" : "text file"
}

/**
 * What a file is, for instance `JPEG image`, `HEIC image`, `HTML page`, `Git LFS pointer`, `empty file`; `file of an
 * unknown kind` where nothing tells.
 */
export const formatOf = (start: Uint8Array): string => {
  if (start.length === 0) return "empty file"
  const text = Buffer.from(start.buffer, start.byteOffset, Math.min(start.length, START)).toString("latin1")
  if (text.slice(4, 8) === "ftyp") return isoMedia(text)
  const known = BEGINNINGS.find(([, bytes, at = 0]) => text.startsWith(bytes, at))
  if (known !== undefined) return known[0]
  // Two letters alone would be a text's as well.
  if (text.startsWith("BM") && text.slice(6, 10) === "\0\0\0\0") return "BMP image"
  if (/^P[1-7]\s+(#.*\s+)*\d/.test(text)) return "PNM image"
  return textual(start.subarray(0, START)) ?? "file of an unknown kind"
}

/** Whether images of a format can be decoded. */
export const isDecoded = (format: string): boolean => DECODED.some((name) => format === `${name} image`)

/** Whether a name promises an image that can be decoded. What it holds may be another thing. */
export const promisesImage = (name: string): boolean => DECODED_ENDING.test(name)

/** What a name alone tells of an image that cannot be decoded. */
export const formatOfName = (name: string): string | undefined =>
  OTHER_ENDINGS.find(([ending]) => ending.test(name))?.[1]

/** `an AVIF image`, `a HEIC image`. */
export const withArticle = (noun: string): string =>
  `${/^(AVIF|HTML|ICO|OpenEXR|SVG|RAR|empty|image|entry)/.test(noun) ? "an" : "a"} ${noun}`

/** Why a file of a format is no image that can be used, to be put after "it is". */
export const whyNot = (format: string): string => {
  if (format === "Git LFS pointer") return "a Git LFS pointer, in the place of a file that was not fetched"
  if (format === "empty file") return "empty"
  return `${withArticle(format)}, ${format.endsWith(" image") ? "which cannot be decoded" : "not an image"}`
}
