/** TensorBoard's event files. Its own reader reads them in test/clients/tensorboard.sh. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { bytesOf, fields, textOf } from "../../src/Device/Graph/Protobuf.ts"
import { decodeExperiment } from "../../src/Experiment.ts"
import { crc32c, record } from "../../src/Log/Records.ts"
import { heardTexts } from "../support/Events.ts"
import { colours, curves, newest, runsOn, temporary } from "../support/Runs.ts"

describe("a record", () => {
  it("has the checksums of RFC 3720 and of TensorFlow", () => {
    assert.strictEqual(crc32c(new Uint8Array(32)), 0x8a9136aa)
    assert.strictEqual(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43)
    assert.strictEqual(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e)
    assert.strictEqual(crc32c(Buffer.from("123456789")), 0xe3069283)
    // What TensorBoard's own RecordWriter makes of b"abc".
    assert.strictEqual(
      Buffer.from(record(Buffer.from("abc"))).toString("hex"),
      "0300000000000000b099490e6162636e57f121"
    )
  })
})

const { interrupted, run } = runsOn(colours())

/** Three steps an epoch. */
const experimentOf = (log: object) =>
  decodeExperiment({
    name: "logged",
    data: { dataset: "shapes" },
    augment: [],
    model: { _tag: "SimpleCnn", width: 1 },
    train: { epochs: 2, batchSize: 32, learningRate: 0.1, schedule: { _tag: "Cosine" }, ...log }
  })

const filesIn = (folder: string) => readdirSync(folder).map((name) => readFileSync(path.join(folder, name)))

/** The events of a file: its records without their frames. */
const eventsIn = (file: Buffer): ReadonlyArray<Uint8Array> => {
  const events: Array<Uint8Array> = []
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at))
    const data = file.subarray(at + 12, at + 12 + length)
    assert.deepStrictEqual(file.subarray(at, at + 16 + length), record(data))
    events.push(data)
    at += 16 + length
  }
  return events
}

/** Steps and tags of an event's summary. */
const tagsOf = (event: Uint8Array): ReadonlyArray<string> => {
  const step = fields(event).find(({ number }) => number === 2)?.value
  return bytesOf(event, 5)
    .flatMap((summary) => bytesOf(summary, 1))
    .flatMap((value) => bytesOf(value, 1).map((tag) => `${step} ${textOf(tag)}`))
}

describe("a training with TensorBoard's files", () => {
  it.live("is the same to the bit, and is told of whole and where it goes on", () =>
    Effect.gen(function* () {
      const root = yield* temporary
      const [plain, one] = ["plain", "logged"].map((name) => path.join(root, name))
      yield* run(yield* experimentOf({}), plain)
      const directory = path.join(root, "boards")
      const logging = yield* experimentOf({ log: { everySteps: 2, tensorboard: { directory } } })
      yield* run(logging, one)
      assert.deepStrictEqual(newest(one), newest(plain))
      assert.deepStrictEqual(yield* curves(one), yield* curves(plain))
      const [file, ...others] = filesIn(path.join(directory, "logged"))
      assert.deepStrictEqual(others, [])
      const tags = eventsIn(file).flatMap(tagsOf)
      for (const tag of [
        ...["0 configuration", "0 _hparams_/session_start_info", "2 step/loss", "4 step/accuracy"],
        ...["3 epoch/train_loss", "6 epoch/validation_accuracy/raw", "6 test/accuracy"],
        "6 _hparams_/session_end_info"
      ]) {
        assert.include(tags, tag)
      }
      assert.notInclude(tags, "3 step/loss")

      // It goes on with other loggers than it was begun with.
      const broken = path.join(root, "broken")
      yield* interrupted(yield* experimentOf({}), broken, 4, false)
      yield* run(yield* experimentOf({ log: { tensorboard: {} } }), broken, { resume: true })
      const [resumed] = filesIn(path.join(broken, "tensorboard"))
      const started = eventsIn(resumed).filter((event) => bytesOf(event, 7).length > 0)
      assert.strictEqual(started.length, 1)
      assert.deepStrictEqual(newest(broken), newest(plain))
    }).pipe(Effect.scoped)
  )

  it.live("goes on where they cannot be written, and says so once", () =>
    Effect.gen(function* () {
      const root = yield* temporary
      const directory = path.join(root, "in the way")
      writeFileSync(directory, "")
      const texts: Array<string> = []
      const logging = yield* experimentOf({ log: { tensorboard: { directory } } })
      const { result } = yield* run(logging, path.join(root, "run")).pipe(
        heardTexts((text) => texts.push(text))
      )
      assert.strictEqual(result.epochs > 0, true)
      const said = texts.filter((text) => text.startsWith("TensorBoard"))
      assert.match(said[0], /in the way/)
      assert.match(said[1], /events of the training did not get there$/)
      assert.strictEqual(said.length, 2)
    }).pipe(Effect.scoped)
  )
})
