/**
 * Fetches the official CIFAR archives.
 */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { fetchFile } from "./Download/Fetch.ts"
import { DataError } from "./Types.ts"

const OFFICIAL = "https://www.cs.toronto.edu/~kriz"

/** The binary versions: sizes, and checksums of the files whose MD5 the official page gives. */
const archives = {
  cifar10: {
    // MD5 c32a1d4ab5d03f1284b67883e8d87530
    name: "cifar-10-binary.tar.gz",
    bytes: 170_052_171,
    sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
  },
  cifar100: {
    // MD5 03b5dce01913d631647c71ecec9e9cb8
    name: "cifar-100-binary.tar.gz",
    bytes: 168_513_733,
    sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"
  }
} as const

export type Downloadable = keyof typeof archives

export interface DownloadOptions {
  /** Address of a folder that has the archive, instead of the official one. */
  readonly mirror?: string | undefined
}

/**
 * Downloads an official archive (binary version) into a folder, and gives its path. A download that was cut or
 * stopped goes on where it was; an archive that is there already is only checked.
 *
 * @errors as of `fetchFile`, and DataError for a mirror that is not an http or https address.
 */
export const downloadCifar = Effect.fn("downloadCifar")(function* (
  dataset: Downloadable,
  directory: string,
  options: DownloadOptions = {}
) {
  const { name, ...expected } = archives[dataset]
  const { mirror = OFFICIAL } = options
  const url = `${mirror.replace(/\/+$/, "")}/${name}`
  if (!URL.canParse(url) || !/^https?:/i.test(url))
    return yield* new DataError({
      reason: "Mirror",
      message: `the mirror "${mirror}" is not an http or https address, as for instance ${OFFICIAL}`
    })
  const file = path.join(directory, name)
  yield* fetchFile({ url, ...expected }, file)
  return file
})
