/** The networks that are measured, each with the batch that it is measured at. */

const pyramidNet = (block, depth, alpha) => ({ _tag: "PyramidNet", block, depth, alpha })

/** Configurations as `makeNetwork` takes them; the peers build the same networks from them. */
export const networks = [
  { id: "simple-cnn", title: "six-layer CNN", batch: 128, model: { _tag: "SimpleCnn", width: 32 } },
  { id: "wrn-16-4", title: "WRN-16-4", batch: 64, model: { _tag: "WideResNet", depth: 16, widenFactor: 4 } },
  { id: "pyramidnet-56", title: "PyramidNet-56 α48", batch: 64, model: pyramidNet("bottleneck", 56, 48) },
  { id: "pyramidnet-110", title: "PyramidNet-110 α84", batch: 64, model: pyramidNet("basic", 110, 84) },
  {
    id: "pyramidnet-272",
    title: "PyramidNet-272 α200",
    batch: 16,
    model: pyramidNet("bottleneck", 272, 200)
  },
  {
    id: "speed",
    title: "speed network 64/256/256",
    batch: 256,
    model: { _tag: "Airbench", widths: [64, 256, 256], convolutions: 2, logitScale: 1 / 9 }
  }
]

const MODES = { train: "training", evaluate: "evaluation" }

/** A row for each network and what is done with it, by names such as `wrn-16-4/train`. */
export const networkRows = Object.entries(MODES).flatMap(([mode, what]) =>
  networks.map(({ batch, id, model, title }) => ({
    id: `${id}/${mode}`,
    title: `${title}, ${what}`,
    spec: { model, batch, mode, side: 32 }
  }))
)

/**
 * What is asked of each measurement: steps to warm up after the first, and then at least so many steps and seconds, or
 * one step where it takes so many seconds. A turn is one of many of the same process, beside a peer's.
 */
export const TURN = { warmup: 2, steps: 3, seconds: 2 }
/** Steps are short there, and what chooses among kernels takes more than two of them. */
export const TURN_ON_GPU = { warmup: 10, steps: 20, seconds: 0.5 }
export const THOROUGH = { ...TURN, seconds: 6 }
export const QUICK = { warmup: 1, steps: 1, seconds: 0 }
