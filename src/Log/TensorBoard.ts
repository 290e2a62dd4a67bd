/**
 * TensorBoard's event files: protocol buffers (`tensorflow/core/util/event.proto`, `summary.proto`, and
 * `tensorboard/plugins/hparams/plugin_data.proto`) in records.
 */
import * as os from "node:os"
import * as path from "node:path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { flattened } from "../Config/Overlay.ts"
import { bytes, double, float, number } from "../Device/Graph/Protobuf.ts"
import type { Event } from "../Events.ts"
import { makeDirectory, using } from "../Platform/Files.ts"
import { LogError, type Sink } from "./Consumer.ts"
import { record } from "./Records.ts"
import { scalarsOf } from "./Scalars.ts"

type Message = ReadonlyArray<Uint8Array>

type Started = Extract<Event, { readonly _tag: "Started" }>

/** `Event`: `wall_time` (1), `step` (2), and what it is. */
const eventOf = (seconds: number, step: number, what: Message): Uint8Array =>
  record(Buffer.concat([double(1, seconds), number(2, step), ...what]))

/** `Event.summary` (5) of values (1). */
const summary = (values: ReadonlyArray<Message>): Message => [
  bytes(
    5,
    values.map((value) => bytes(1, value))
  )
]

/** `tag` (1), `simple_value` (2). */
const scalar = (tag: string, value: number): Message => [bytes(1, tag), float(2, value)]

/** `metadata` (9) with the data of a plugin (1): its name (1) and content (2). */
const pluginData = (name: string, content: Message = []): Uint8Array =>
  bytes(9, [bytes(1, [bytes(1, name), bytes(2, content)])])

/** Text as a tensor (8) of strings (`dtype` 7) with one dimension. */
const text = (tag: string, contents: string): Message => [
  bytes(1, tag),
  pluginData("text"),
  bytes(8, [number(1, 7), bytes(2, [bytes(2, [number(1, 1)])]), bytes(8, contents)])
]

/** `google.protobuf.Value`: a number (2), a string (3) or a boolean (4). */
const protobufValue = (value: unknown): Uint8Array =>
  typeof value === "number"
    ? double(2, value)
    : typeof value === "boolean"
      ? number(4, value ? 1 : 0)
      : bytes(3, typeof value === "string" ? value : JSON.stringify(value))

/** A tensor without elements, which plugins want beside their data. */
const EMPTY = bytes(8, [number(1, 1), bytes(2, [bytes(2, [number(1, 0)])])])

/** `HParamsPluginData.session_start_info` (3): the map of hyperparameters (1), and the start (5). */
const sessionStart = (experiment: object, seconds: number): Message => {
  const entries = flattened(experiment).map(([key, value]) =>
    bytes(1, [bytes(1, key), bytes(2, [protobufValue(value)])])
  )
  const content = [bytes(3, [...entries, double(5, seconds)])]
  return [bytes(1, "_hparams_/session_start_info"), pluginData("hparams", content), EMPTY]
}

/** `session_end_info` (4): a success (1), and the end (2). */
const sessionEnd = (seconds: number): Message => [
  bytes(1, "_hparams_/session_end_info"),
  pluginData("hparams", [bytes(4, [number(1, 1), double(2, seconds)])]),
  EMPTY
]

/** What a file begins with. Where a run goes on, TensorBoard leaves out what older files have from that step on. */
const opening = ({ experiment, step }: Started, seconds: number): ReadonlyArray<Uint8Array> => [
  eventOf(seconds, 0, [bytes(3, "brain.Event:2")]),
  // `session_log` (7): a start (1).
  ...(step > 0 ? [eventOf(seconds, step + 1, [bytes(7, [number(1, 1)])])] : []),
  eventOf(
    seconds,
    step,
    summary([text("configuration", `\`\`\`json\n${JSON.stringify(experiment, null, 2)}\n\`\`\``)])
  ),
  eventOf(seconds, step, summary([sessionStart(experiment, seconds)]))
]

/** Writes the files of a run. */
export const tensorBoard = (directory: string | undefined): Sink => {
  let file: string | undefined
  let last = 0

  const recordsOf = (event: Event, seconds: number): ReadonlyArray<Uint8Array> => {
    if (event._tag === "Started") return opening(event, seconds)
    if (event._tag === "Finished") {
      const values = [scalar("test/accuracy", event.accuracy), sessionEnd(seconds)]
      return [eventOf(seconds, last, summary(values))]
    }
    const scalars = scalarsOf(event)
    if (scalars === undefined) return []
    last = scalars.step
    return [eventOf(seconds, last, summary(scalars.values.map(([name, value]) => scalar(name, value))))]
  }

  const fileOf = ({ directory: run }: Started, seconds: number): string => {
    const folder =
      directory === undefined ? path.join(run, "tensorboard") : path.join(directory, path.basename(run))
    const time = String(Math.floor(seconds)).padStart(10, "0")
    return path.join(folder, `events.out.tfevents.${time}.${os.hostname()}.${process.pid}.0`)
  }

  return {
    name: "TensorBoard's event files",
    write: Effect.fnUntraced(function* (events) {
      const seconds = (yield* Clock.currentTimeMillis) / 1000
      const started = events.find((event) => event._tag === "Started")
      if (started !== undefined) file ??= fileOf(started, seconds)
      if (file === undefined) return
      const data = Buffer.concat(events.flatMap((event) => recordsOf(event, seconds)))
      const target = file
      yield* makeDirectory(path.dirname(target)).pipe(
        Effect.andThen(using("write", target, (files) => files.writeFile(target, data, { flag: "a" }))),
        Effect.mapError(({ message }) => new LogError({ message }))
      )
    })
  }
}
