/** Small wheels, and a `python3` in pip's place that hands them out. */
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { crc32 } from "node:zlib"
import type { Wheel } from "../../src/Device/Setup/Wheels.ts"

const integers = (...fields: ReadonlyArray<readonly [bytes: 2 | 4, value: number]>): Buffer =>
  Buffer.concat(
    fields.map(([bytes, value]) => {
      const field = Buffer.alloc(bytes)
      field.writeUIntLE(value, 0, bytes)
      return field
    })
  )

/** A zip archive of files that are not compressed. */
export const zip = (files: Readonly<Record<string, Uint8Array>>): Buffer => {
  const entries: Array<Buffer> = []
  const directory: Array<Buffer> = []
  let offset = 0
  for (const [name, contents] of Object.entries(files)) {
    // Version, flags, method, time and date, then what the archive's directory repeats.
    const version = [2, 20] as const
    const common = integers(
      ...[version, [2, 0] as const, [2, 0] as const, [2, 0] as const, [2, 33] as const],
      [4, crc32(contents)],
      [4, contents.length],
      [4, contents.length],
      [2, name.length],
      [2, 0]
    )
    const entry = Buffer.concat([integers([4, 0x04034b50]), common, Buffer.from(name), contents])
    directory.push(
      integers([4, 0x02014b50], version),
      common,
      integers([2, 0], [2, 0], [2, 0], [4, 0], [4, offset]),
      Buffer.from(name)
    )
    entries.push(entry)
    offset += entry.length
  }
  const index = Buffer.concat(directory)
  const count = entries.length
  const end = integers(
    ...[[4, 0x06054b50] as const, [2, 0] as const, [2, 0] as const, [2, count] as const],
    ...[[2, count] as const, [4, index.length] as const, [4, offset] as const, [2, 0] as const]
  )
  return Buffer.concat([...entries, index, end])
}

/** A wheel of version 1 of a package, and its bytes; `kept` says how many bytes setup takes out of it. */
export const makeWheel = (
  name: string,
  files: Readonly<Record<string, Uint8Array>>,
  kept: number
): Wheel & { readonly archive: Buffer } => {
  const underscored = name.replaceAll("-", "_")
  const archive = zip({
    ...files,
    [`${underscored}-1.dist-info/METADATA`]: Buffer.from(
      `Metadata-Version: 2.1\nName: ${name}\nVersion: 1\n`
    ),
    [`${underscored}-1.dist-info/WHEEL`]: Buffer.from(
      "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp312-cp312-manylinux_2_27_x86_64\n"
    ),
    [`${underscored}-1.dist-info/RECORD`]: Buffer.alloc(0)
  })
  return {
    name,
    version: "1",
    platform: "manylinux_2_27_x86_64",
    sha256: createHash("sha256").update(archive).digest("hex"),
    bytes: archive.length,
    unpacked: kept,
    archive
  }
}

/** The file name that a wheel has in a package index. */
export const wheelFile = ({ name, platform, version }: Wheel): string =>
  `${name.replaceAll("-", "_")}-${version}-cp312-cp312-${platform}.whl`

/** What the stub does unless a test says otherwise: hands the wheel out, as pip does. */
const HAND_OUT = 'cp "$STUB/$name.whl" "$target/$name-1-cp312-cp312-manylinux_2_27_x86_64.whl"'

export interface StubPip {
  /** The folder to put in front of PATH. */
  readonly folder: string
  /** Puts a wheel in the package index. */
  readonly offer: (name: string, archive: Uint8Array) => void
  /**
   * Has every later call run lines of shell, in which `$name` is the package, `$target` the folder for its wheel
   * and `$STUB` the stub's own; `undefined` hands the wheel out again.
   */
  readonly behave: (script?: string) => void
  /** The packages that were asked for so far. */
  readonly asked: () => ReadonlyArray<string>
}

export const makeStubPip = (folder: string): StubPip => {
  const behaviour = path.join(folder, "behaviour.sh")
  const log = path.join(folder, "asked")
  const behave = (script = HAND_OUT) => fs.writeFileSync(behaviour, `${script}\n`)
  fs.mkdirSync(folder)
  behave()
  fs.writeFileSync(
    path.join(folder, "python3"),
    `#!/bin/sh
STUB='${folder}'
while [ $# -gt 0 ]; do
  case "$1" in
    -r) read -r requirement < "$2"; name="\${requirement%%==*}" ;;
    -d) target="$2" ;;
  esac
  shift
done
echo "$name" >> "$STUB/asked"
. "$STUB/behaviour.sh"
`,
    { mode: 0o755 }
  )
  return {
    folder,
    offer: (name, archive) => fs.writeFileSync(path.join(folder, `${name}.whl`), archive),
    behave,
    asked: () => (fs.existsSync(log) ? fs.readFileSync(log, "utf8").trim().split("\n") : [])
  }
}
