/**
 * Fetches a wheel with the user's own pip, so that its mirrors, proxies and certificates are the ones used.
 */
import { spawn } from "node:child_process"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { LibraryError, type LibraryReason } from "../Errors.ts"
import { attempt } from "./Failure.ts"
import type { Wheel } from "./Wheels.ts"

/** Characters of pip's output that are kept to explain a failure. */
const TAIL = 20_000

/** What must not disturb a download that installs nothing: modules in the working folder, pins, a missing venv. */
const ENVIRONMENT = { PYTHONSAFEPATH: "1", PIP_CONSTRAINT: "", PIP_REQUIRE_VIRTUALENV: "0" }

/** What pip's output says, and what is wrong then. First come the causes, then their consequences. */
const explanations: ReadonlyArray<readonly [RegExp, reason: LibraryReason, words: string]> = [
  [/No module named '?pip\b/, "NoPip", "python3 has no pip"],
  [/No space left on device|Disk quota exceeded/, "Full", "the disk is full"],
  [/DO NOT MATCH THE HASHES/, "OtherFile", "the package index sent a file that is not the official one"],
  [/CERTIFICATE_VERIFY_FAILED|SSLError/, "Certificate", "the package index's certificate cannot be verified"],
  [
    /NewConnectionError|ConnectionError|Connection broken|ProxyError|NameResolutionError|Max retries exceeded|[Tt]imed? ?out|IncompleteRead|ProtocolError|HTTP error \d/,
    "Network",
    "the package index cannot be reached"
  ],
  [/No matching distribution found/, "NoWheel", "pip finds no such wheel"]
]

const explain = (output: string): readonly [reason: LibraryReason, words: string] => {
  const known = explanations.find(([pattern]) => pattern.test(output))
  if (known !== undefined) return [known[1], known[2]]
  const lines = output.split("\n").filter((line) => line.trim() !== "")
  const last = lines.findLast((line) => line.startsWith("ERROR")) ?? lines.at(-1) ?? "pip said nothing"
  return ["PipFails", last.trim()]
}

const notStarted = (cause: NodeJS.ErrnoException): readonly [reason: LibraryReason, words: string] =>
  cause.code === "ENOENT"
    ? ["NoPython", "python3 was not found"]
    : ["PythonFails", `python3 cannot be started (${cause.message})`]

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
    const fail = ([reason, words]: readonly [LibraryReason, string], cause?: unknown) => {
      const message = `cannot download ${wheel.name} ${wheel.version}: ${words}`
      resume(Effect.fail(new LibraryError({ reason, message, cause })))
    }
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
      reason: "NoWheel",
      message: `pip ended without error but without ${name} ${version}`
    })
  }
  onProgress(bytes, bytes)
  return path.join(target, file)
})
