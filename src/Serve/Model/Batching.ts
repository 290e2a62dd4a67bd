/**
 * Dynamic batching: images of several requests share one run of the device. The first that waits does so for
 * `maxDelay` at most, or until a largest batch is there; when the device becomes free and its time is over already, it
 * goes at once with all that came meanwhile. A batch that is not full is filled up with zeros to the next of the sizes.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import type { DeviceError } from "../../Device.ts"
import type { Network } from "./Network.ts"

/** What was said of a request's images. */
export interface Said {
  /** [images,classes] */
  readonly rows: Float32Array
  /** Seconds until the first of them was on the device, and that the device took for all batches with some of them. */
  readonly queueSeconds: number
  readonly deviceSeconds: number
}

/** What is told of each batch. */
export interface Batch {
  readonly images: number
  readonly size: number
  readonly seconds: number
}

export interface Batching {
  /** uint8 [images,height,width,3] → what was said of them; interrupted, those that wait still are given up. */
  readonly submit: (pixels: Uint8Array, images: number) => Effect.Effect<Said, DeviceError>
  /** Images that wait. */
  readonly waiting: () => number
}

interface Job {
  readonly pixels: Uint8Array
  readonly images: number
  readonly rows: Float32Array
  /** Milliseconds on the monotonic clock. */
  readonly arrived: number
  readonly answer: Deferred.Deferred<Said, DeviceError>
  started: number
  deviceSeconds: number
  /** Images that are on the device, or were. */
  taken: number
  answered: number
}

/** Images of a job within a batch. */
interface Part {
  readonly job: Job
  readonly from: number
  readonly images: number
  /** Where they are in the batch. */
  readonly at: number
}

interface BatchingOptions {
  readonly network: Network
  /** Milliseconds. */
  readonly maxDelay: number
  readonly onBatch: (batch: Batch) => void
}

const now = (): number => performance.now()

/** Runs batches of a network until the scope closes; what waits then is interrupted. */
export const makeBatching = Effect.fnUntraced(function* ({ maxDelay, network, onBatch }: BatchingOptions) {
  const { ask, batchSizes, classes, size } = network
  const largest = batchSizes[batchSizes.length - 1]
  const imageBytes = size.height * size.width * 3
  const jobs: Array<Job> = []
  let waiting = 0
  const some = Latch.makeUnsafe()
  const full = Latch.makeUnsafe()

  const add = (job: Job): void => {
    jobs.push(job)
    waiting += job.images
    some.openUnsafe()
    if (waiting >= largest) full.openUnsafe()
  }

  /** Takes what still waits of a job out of the queue. */
  const giveUp = (job: Job): void => {
    const index = jobs.indexOf(job)
    if (index < 0) return
    jobs.splice(index, 1)
    waiting -= job.images - job.taken
  }

  /** Waits until a batch should go. */
  const due = Effect.gen(function* () {
    for (;;) {
      if (waiting === 0) {
        some.closeUnsafe()
        yield* some.await
        continue
      }
      const left = jobs[0].arrived + maxDelay - now()
      if (waiting >= largest || left <= 0) return
      full.closeUnsafe()
      yield* Effect.timeoutOption(full.await, left)
    }
  })

  const collect = (): { pixels: Uint8Array; size: number; images: number; parts: ReadonlyArray<Part> } => {
    const images = Math.min(waiting, largest)
    const size = batchSizes.find((size) => size >= images) ?? largest
    const pixels = new Uint8Array(size * imageBytes)
    const parts: Array<Part> = []
    for (let at = 0; at < images; ) {
      const [job] = jobs
      const from = job.taken
      const count = Math.min(job.images - from, images - at)
      pixels.set(job.pixels.subarray(from * imageBytes, (from + count) * imageBytes), at * imageBytes)
      parts.push({ job, from, images: count, at })
      if (from === 0) job.started = now()
      job.taken += count
      if (job.taken === job.images) jobs.shift()
      at += count
    }
    waiting -= images
    return { pixels, size, images, parts }
  }

  const answer = ({ at, from, images, job }: Part, rows: Float32Array, seconds: number): void => {
    const columns = classes.length
    job.rows.set(rows.subarray(at * columns, (at + images) * columns), from * columns)
    job.deviceSeconds += seconds
    job.answered += images
    if (job.answered < job.images) return
    const said = {
      rows: job.rows,
      queueSeconds: (job.started - job.arrived) / 1000,
      deviceSeconds: job.deviceSeconds
    }
    Deferred.doneUnsafe(job.answer, Exit.succeed(said))
  }

  const runBatch = Effect.gen(function* () {
    yield* due
    const { images, parts, pixels, size } = collect()
    const begin = now()
    const fail = (cause: Cause.Cause<DeviceError>): void => {
      for (const { job } of parts) {
        giveUp(job)
        Deferred.doneUnsafe(job.answer, Exit.failCause(cause))
      }
    }
    const exit = yield* Effect.exit(ask(pixels, size)).pipe(
      Effect.onInterrupt(() => Effect.sync(() => fail(Cause.interrupt())))
    )
    const seconds = (now() - begin) / 1000
    if (Exit.isSuccess(exit)) {
      onBatch({ images, size, seconds })
      for (const part of parts) answer(part, exit.value, seconds)
      return
    }
    fail(exit.cause)
  })

  yield* Effect.forkScoped(Effect.forever(runBatch))
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const { answer } of jobs) Deferred.doneUnsafe(answer, Effect.interrupt)
    })
  )

  const submit = Effect.fnUntraced(function* (pixels: Uint8Array, images: number) {
    const job: Job = {
      pixels,
      images,
      rows: new Float32Array(images * classes.length),
      arrived: now(),
      answer: yield* Deferred.make<Said, DeviceError>(),
      started: 0,
      deviceSeconds: 0,
      taken: 0,
      answered: 0
    }
    add(job)
    return yield* Deferred.await(job.answer).pipe(Effect.onInterrupt(() => Effect.sync(() => giveUp(job))))
  })
  return { submit, waiting: () => waiting } satisfies Batching
})
