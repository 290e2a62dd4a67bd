/**
 * What sharing a training brings here: two processes, each pinned to a core of its own, against one on one core; and the
 * all-reduce alone. Wants a machine that does nothing else, and `taskset`. Run it once the project is built:
 *   node bench/replicas.mjs [steps=8]
 */
import { spawn } from "node:child_process"
import { createServer } from "node:net"
import * as Effect from "effect/Effect"
import { decodeStrictly } from "../dist/Config/Decode.js"
import { Device, entryPoint } from "../dist/Device.js"
import { placesOf } from "../dist/Distributed.js"
import { schemas } from "../dist/Experiment.js"
import { makeNetwork } from "../dist/Model.js"
import { meanOverReplicas } from "../dist/Ops/Collective.js"
import { float32 } from "../dist/Tensor/HostTensor.js"
import { compileTraining } from "../dist/Train/Step/TrainingProgram.js"

const [steps = "8"] = process.argv.slice(2)
const BATCH = 32
const SIZES = [1, 4, 16, 64, 128]
const size = { height: 32, width: 32 }
const MODELS = {
  "WRN-16-4": { _tag: "WideResNet", depth: 16, widenFactor: 4 },
  "PyramidNet-56 α48": { _tag: "PyramidNet", block: "basic", depth: 56, alpha: 48 }
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

const timed = (effect) =>
  Effect.gen(function* () {
    const times = []
    yield* effect
    for (let i = 0; i < Number(steps); i++) {
      const start = performance.now()
      yield* effect
      times.push(performance.now() - start)
    }
    return Math.round(median(times))
  })

/** Milliseconds of a step of a model, as a replica or alone. */
const step = (model, share) =>
  Effect.gen(function* () {
    const count = share?.count ?? 1
    const train = yield* decodeStrictly((yield* schemas).train, {
      ...{ epochs: 1, batchSize: BATCH * count, learningRate: 0.01, schedule: { _tag: "Cosine" } }
    })
    const network = makeNetwork(model, { classes: 10, size })
    const images = { size, batchSize: BATCH, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] }
    const program = yield* compileTraining(yield* Device, {
      ...{ network, images, train, weights: network.init(1), seed: 1, teachers: [], precision: "float32" },
      replicas: share
    })
    const places = placesOf({ index: 0, count: 1 }, BATCH, 1)
    const labels = Int32Array.from(places, (i) => i % 10)
    const batch = {
      images: Uint8Array.from({ length: BATCH * 3072 }, (_, i) => (i * 7919) % 256),
      ...{ labelsA: labels, labelsB: labels, lambda: new Float32Array(BATCH).fill(1) }
    }
    return yield* timed(program.step(batch, { step: 0, learningRate: 0.01, coefficients: {}, scale: 1 }))
  }).pipe(Effect.scoped)

/** Milliseconds of the mean over replicas of so many MiB. */
const reduce = (mebibytes, replicas) =>
  Effect.gen(function* () {
    const values = float32([mebibytes * 2 ** 18])
    const program = yield* (yield* Device).compile(
      { values },
      {
        reduce: entryPoint({
          ...{ inputs: {}, collective: true },
          run: ({ values }) => ({ state: meanOverReplicas({ values }, replicas), output: {} })
        })
      }
    )
    return yield* timed(program.run("reduce", {}))
  }).pipe(Effect.scoped)

const replica = async () => {
  const { addresses, index } = JSON.parse(process.env.BENCH_REPLICA)
  const share = addresses.length > 1 ? { index, count: addresses.length } : undefined
  const layer =
    share === undefined
      ? Device.layer("cpu")
      : Device.joined({ name: "cpu", localIndex: 0 }, () =>
          Effect.succeed({ addresses, index, unconfined: false })
        )
  const measured = await Effect.runPromise(
    Effect.gen(function* () {
      const result = {}
      for (const [name, model] of Object.entries(MODELS)) result[name] = yield* step(model, share)
      for (const mebibytes of share === undefined ? [] : SIZES)
        result[mebibytes] = yield* reduce(mebibytes, share)
      return result
    }).pipe(Effect.provide(layer))
  )
  process.send(measured, () => process.exit(0))
}

const freePort = () =>
  new Promise((done) => {
    const server = createServer().listen(0, () =>
      server.close(
        (
          (port) => () =>
            done(port)
        )(server.address().port)
      )
    )
  })

const processes = async (count) => {
  const addresses = []
  for (let i = 0; i < count; i++) addresses.push(`127.0.0.1:${await freePort()}`)
  const env = {
    MALLOC_MMAP_THRESHOLD_: "1073741824",
    MALLOC_TRIM_THRESHOLD_: "4294967296",
    TF_NUM_INTRAOP_THREADS: "1"
  }
  const measured = addresses.map(
    (_, index) =>
      new Promise((resolve, reject) => {
        const args = ["-c", String(index), process.execPath, process.argv[1], steps]
        const BENCH_REPLICA = JSON.stringify({ addresses, index })
        const child = spawn("taskset", args, {
          env: { ...process.env, ...env, BENCH_REPLICA },
          stdio: ["ignore", "inherit", "inherit", "ipc"]
        })
        child
          .on("message", resolve)
          .on("exit", (code) => code !== 0 && reject(new Error(`a replica ended with ${code}`)))
      })
  )
  const [first] = await Promise.all(measured)
  return first
}

if (process.env.BENCH_REPLICA !== undefined) await replica()
else {
  const [alone, two] = [await processes(1), await processes(2)]
  for (const name of Object.keys(MODELS)) {
    const gain = (2 * alone[name]) / two[name]
    console.log(
      `${name}, ${BATCH} images each: ${alone[name]} ms alone, ${two[name]} ms as two: ${gain.toFixed(2)} times the images/s`
    )
  }
  for (const mebibytes of SIZES) console.log(`all-reduce of ${mebibytes} MiB: ${two[mebibytes]} ms`)
}
