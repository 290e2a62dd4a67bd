/**
 * Fetches a wheel with the user's own pip, so that its mirrors, proxies and certificates are the ones used.
 */
import { spawn } from "node:child_process"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { LibraryError } from "../Errors.ts"
import { attempt } from "./Failure.ts"
import type { Wheel } from "./Wheels.ts"

/** Characters of pip's output that are kept to explain a failure. */
const TAIL = 20_000

/** What must not disturb a download that installs nothing: modules in the working folder, pins, a missing venv. */
const ENVIRONMENT = { PYTHONSAFEPATH: "1", PIP_CONSTRAINT: "", PIP_REQUIRE_VIRTUALENV: "0" }

const again = "run `npx shakedrop setup` again: what was downloaded completely is kept"

/** What pip's output says, and what that means to the user. First come the causes, then their consequences. */
const explanations: ReadonlyArray<readonly [RegExp, string]> = [
  [
    /No module named '?pip\b/,
    "python3 has no pip: install it (`python3 -m ensurepip --user`, or your system's package python3-pip), and run `npx shakedrop setup` again"
  ],
  [
    /No space left on device|Disk quota exceeded/,
    "the disk is full: free some space, or set XDG_CACHE_HOME to a folder on a larger disk, and run `npx shakedrop setup` again"
  ],
  [
    /DO NOT MATCH THE HASHES/,
    "the package index sent a file that is not the official one: correct the mirror that pip uses (`python3 -m pip config list`), and run `npx shakedrop setup` again"
  ],
  [
    /CERTIFICATE_VERIFY_FAILED|SSLError/,
    `the package index's certificate cannot be verified: give pip the right one (\`python3 -m pip config set global.cert FILE\`), and ${again}`
  ],
  [
    /NewConnectionError|ConnectionError|Connection broken|ProxyError|NameResolutionError|Max retries exceeded|[Tt]imed? ?out|IncompleteRead|ProtocolError|HTTP error \d/,
    `the package index cannot be reached: check the network, and the proxy and index that pip uses (\`python3 -m pip config list\`), and ${again}`
  ],
  [
    /No matching distribution found/,
    "pip finds no such wheel: if `python3 -m pip --version` is below 20.3, upgrade it (`python3 -m pip install --upgrade pip`), else use a package index that is complete (`python3 -m pip config list` shows which is used), and run `npx shakedrop setup` again"
  ]
]

const explain = (output: string): string => {
  const known = explanations.find(([pattern]) => pattern.test(output))
  if (known !== undefined) return known[1]
  const lines = output.split("\n").filter((line) => line.trim() !== "")
  const last = lines.findLast((line) => line.startsWith("ERROR")) ?? lines.at(-1) ?? "pip said nothing"
  return `${last.trim()}; ${again}`
}

const notStarted = (cause: NodeJS.ErrnoException): string =>
  cause.code === "ENOENT"
    ? `python3 was not found: install Python 3 with pip, which is needed for this download only, and run \`npx shakedrop setup\` again`
    : `python3 cannot be started (${cause.message}); ${again}`

/** Runs `python3 -m pip` to its end. Interruption stops it and waits until it is gone. */
const runPip = (
  wheel: Wheel,
  args: ReadonlyArray<string>,
  temporary: string
): Effect.Effect<void, LibraryError> =>
  Effect.callback((resume) => {
    const child = spawn("python3", ["-m", "pip", ...args], {
      env: { ...process.env, ...ENVIRONMENT, TMPDIR: temporary },
      stdio: ["ignore", "pipe", "pipe"]
    })
    const closed = new Promise<void>((resolve) => child.once("close", () => resolve()))
    let output = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        output = (output + chunk).slice(-TAIL)
      })
    }
    const fail = (reason: string, cause?: unknown) =>
      resume(
        Effect.fail(
          new LibraryError({ message: `cannot download ${wheel.name} ${wheel.version}: ${reason}`, cause })
        )
      )
    child.once("error", (cause) => fail(notStarted(cause), cause))
    child.once("close", (code) => (code === 0 ? resume(Effect.void) : fail(explain(output))))
    return Effect.promise(() => {
      child.kill()
      return closed
    })
  })

/** Bytes of the largest file below a folder that pip is writing to. */
const largestFile = async (directory: string): Promise<number> => {
  const names = await fs.readdir(directory, { recursive: true }).catch(() => [])
  const sizes = await Promise.all(
    names.map((name) =>
      fs.stat(path.join(directory, name)).then(
        (stats) => (stats.isFile() ? stats.size : 0),
        () => 0
      )
    )
  )
  return Math.max(0, ...sizes)
}

/**
 * Downloads a wheel into a folder below `workspace`, and gives its path. pip checks its hash.
 * `onProgress` is called with bytes.
 */
export const downloadWheel = Effect.fnUntraced(function* (
  wheel: Wheel,
  workspace: string,
  onProgress: (done: number, total: number) => void
) {
  const { name, version, platform, sha256, bytes } = wheel
  const directory = path.join(workspace, name)
  const target = path.join(directory, "complete")
  const requirements = path.join(directory, "requirements.txt")
  yield* attempt("create", target, () => fs.mkdir(target, { recursive: true }))
  yield* attempt("write", requirements, () =>
    fs.writeFile(requirements, `${name}==${version} --hash=sha256:${sha256}\n`)
  )
  const args = [
    ...["--disable-pip-version-check", "--no-input", "download"],
    ...["--progress-bar", "off", "--no-cache-dir", "--no-deps", "--only-binary=:all:"],
    ...["--python-version", "3.12", "--implementation", "cp", "--abi", "cp312", "--platform", platform],
    ...["--require-hashes", "-r", requirements, "-d", target]
  ]
  // pip shows no progress unless on a terminal, so the file that it writes is watched.
  const watching = Effect.promise(() => largestFile(directory)).pipe(
    Effect.map((done) => done < bytes && onProgress(done, bytes)),
    Effect.delay("200 millis"),
    Effect.forever
  )
  yield* Effect.raceFirst(runPip(wheel, args, directory), watching)
  const files = yield* attempt("read", target, () => fs.readdir(target))
  const file = files.find((entry) => entry.endsWith(".whl"))
  if (file === undefined) {
    return yield* new LibraryError({
      message: `pip ended without error but without ${name} ${version}; try \`python3 -m pip install --upgrade pip\`, and ${again}`
    })
  }
  onProgress(bytes, bytes)
  return path.join(target, file)
})
