/** Image files that come over the network: one as a body, or several as parts of a form. */

import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as MultipartParser from "effect/http/MultipartParser"
import * as Semaphore from "effect/Semaphore"
import type { DecodeImage } from "../../Data/ImageFolder/Decoder.ts"
import { imageDecoder } from "../../Data/ImageFolder/Decoder.ts"
import { formatOf, START, whyNot, withArticle } from "../../Data/ImageFolder/Format.ts"
import type { Size } from "../../Model/Layer/Layer.ts"
import { badRequest, Refusal } from "../Errors.ts"
import { MOST_IMAGES } from "../Options.ts"

/** Formats that are taken from strangers. Others that could be decoded have more to go wrong. */
const TAKEN = ["JPEG image", "PNG image", "WebP image"]

export interface ImageFile {
  /** As the sender calls it; undefined where it is the body itself. */
  readonly name: string | undefined
  readonly bytes: Uint8Array
}

/** Threads that decode at most: one of libuv's is left to the device. */
const decoders = (): number => Math.max(1, Number(process.env.UV_THREADPOOL_SIZE ?? 4) - 1 || 3)

/** Decodes images for a network, few at a time. */
export class Images extends Context.Service<
  Images,
  { readonly decode: (bytes: Uint8Array, size: Size) => Effect.Effect<Uint8Array, Refusal> }
>()("shakedrop/Serve/Images") {
  static readonly make = Effect.fnUntraced(function* ({ maxPixels }: { readonly maxPixels: number }) {
    const decodeImage: DecodeImage = yield* imageDecoder
    const places = yield* Semaphore.make(decoders())
    return Images.of({
      decode: Effect.fnUntraced(function* (bytes, { height, width }) {
        const format = formatOf(bytes.subarray(0, START))
        if (!TAKEN.includes(format)) {
          const what = format.endsWith(" image") ? withArticle(format) : whyNot(format)
          return yield* new Refusal({
            status: 415,
            message: `this is ${what}: a JPEG, PNG or WebP image is wanted`
          })
        }
        return yield* places.withPermits(1)(
          Effect.tryPromise({
            try: () => decodeImage(bytes, { height, width, mostPixels: maxPixels }),
            catch: (cause) => badRequest((cause as Error).message)
          })
        )
      })
    })
  })
}

const isForm = (contentType: string | undefined): boolean =>
  /^\s*multipart\/form-data\s*(;|$)/i.test(contentType ?? "")

const problems: Readonly<Record<string, string>> = {
  InvalidBoundary: "the content type has no boundary that can be used",
  BadHeaders: "a part has headers that cannot be read",
  InvalidDisposition: "a part does not say what it is called (content-disposition)",
  ReachedLimit: `there are more than ${MOST_IMAGES} parts`,
  EndNotReached: "it ends too early"
}

/** The parts of a form. */
const partsOf = (body: Uint8Array, contentType: string): Effect.Effect<ReadonlyArray<ImageFile>, Refusal> =>
  Effect.suspend(() => {
    const files: Array<ImageFile> = []
    let problem: string | undefined
    const parser = MultipartParser.make({
      headers: { "content-type": contentType },
      isFile: () => true,
      maxParts: MOST_IMAGES,
      onField: () => {},
      onFile: ({ filename, name }) => {
        const chunks: Array<Uint8Array> = []
        return (chunk) => {
          if (chunk !== null) chunks.push(chunk)
          else files.push({ name: filename ?? name, bytes: Buffer.concat(chunks) })
        }
      },
      onError: ({ _tag }) => {
        problem ??= problems[_tag] ?? "it cannot be read"
      },
      onDone: () => {}
    })
    parser.write(body)
    parser.end()
    if (problem !== undefined) return Effect.fail(badRequest(`the form is damaged: ${problem}`))
    return files.length > 0 ? Effect.succeed(files) : Effect.fail(badRequest("the form has no parts"))
  })

export interface SentImages {
  /** Whether several could have been sent, so that each is answered by itself. */
  readonly several: boolean
  readonly files: ReadonlyArray<ImageFile>
}

/** The images of a body. */
export const readImages = Effect.fnUntraced(function* (body: Uint8Array, contentType: string | undefined) {
  if (contentType !== undefined && isForm(contentType)) {
    return { several: true, files: yield* partsOf(body, contentType) } satisfies SentImages
  }
  return { several: false, files: [{ name: undefined, bytes: body }] } satisfies SentImages
})
