/**
 * The architecture as rules: what each room of `src` may import. `npm test` checks them with dependency-cruiser, type
 * imports included; docs/architecture.md tells what the rooms are for.
 */

/**
 * Rooms from the ground up, each with the rooms below that it may import. A room is `src/NAME.ts` with the folder
 * `src/NAME/`, or a part of one that is named here by itself.
 */
const ROOMS = {
  Platform: [],
  Pickle: [],
  Tensor: ["Pickle", "Platform"],
  Random: [],
  Config: ["Platform"],
  Events: ["Config"],
  Distributed: ["Config"],
  Data: ["Config", "Events", "Pickle", "Platform", "Random"],
  Device: ["Config", "Events", "Platform", "Tensor"],
  Log: ["Config", "Device", "Events", "Platform"],
  Ops: ["Device", "Random"],
  Model: ["Config", "Ops", "Platform", "Random", "Tensor"],
  Checkpoint: ["Config", "Platform", "Tensor"],
  Augment: ["Config", "Data", "Events", "Platform", "Random"],
  "Train/Optimizer": ["Config", "Model", "Ops", "Tensor"],
  "Train/Averages": ["Config", "Model", "Ops", "Tensor"],
  "Train/Step/Loss": ["Config", "Ops"],
  Registry: ["Augment", "Config", "Model", "Train/Optimizer", "Train/Step/Loss"],
  "Registry/Plugin": ["Config", "Platform", "Registry"],
  Experiment: [
    ...["Augment", "Config", "Model", "Registry", "Train/Averages", "Train/Optimizer", "Train/Step/Loss"]
  ],
  Recipe: ["Config", "Experiment"],
  Train: [
    ...["Augment", "Checkpoint", "Config", "Data", "Device", "Distributed", "Events", "Experiment", "Log", "Model"],
    ...["Ops", "Platform", "Random", "Registry", "Tensor"],
    ...["Train/Averages", "Train/Optimizer", "Train/Step/Loss"]
  ],
  Predict: ["Config", "Data", "Device", "Model", "Platform", "Tensor", "Train"],
  Ensemble: [
    ...["Augment", "Checkpoint", "Config", "Data", "Device", "Distributed", "Events", "Experiment", "Platform"],
    ...["Predict", "Random", "Recipe", "Registry", "Tensor", "Train", "Train/Averages"]
  ],
  Export: ["Config", "Data", "Device", "Ensemble", "Model", "Platform", "Predict", "Tensor", "Train"],
  Report: ["Augment", "Config", "Data", "Ensemble", "Events", "Platform", "Random", "Train"],
  Watch: ["Config", "Events", "Platform", "Report", "Train"],
  Serve: [
    ...["Checkpoint", "Config", "Data", "Device", "Ensemble", "Events", "Model", "Platform", "Predict", "Tensor"],
    "Train"
  ],
  Cli: [
    ...["Augment", "Checkpoint", "Config", "Data", "Device", "Distributed", "Ensemble", "Events", "Experiment"],
    ...["Export", "Model", "Platform", "Predict", "Recipe", "Registry", "Registry/Plugin", "Report", "Serve", "Tensor"],
    ...["Train", "Watch"]
  ],
  Main: ["Cli", "Events", "Platform"]
}

/** Walls within rooms: what a part may not import. */
const WALLS = [
  { from: "Device/Library", not: ["Device/Graph", "Device/Session", "Device/Trace", "Device/Setup"] },
  { from: "Device/Graph", not: ["Device/Session", "Device/Trace", "Device/Setup"] },
  { from: "Device/Trace", not: ["Device/Session", "Device/Setup"] },
  { from: "Device/Setup", not: ["Device/Graph", "Device/Session", "Device/Trace"] },
  { from: "Model/Layer", not: ["Model/Architecture", "Model/Block", "Model/Weights"] },
  { from: "Model/Lowering", not: ["Model/Architecture", "Model/Block", "Model/Weights"] },
  { from: "Model/Block", not: ["Model/Architecture", "Model/Weights"] },
  { from: "Augment/Kernel", not: ["Augment/Batch", "Augment/Policy", "Augment/Step"] },
  { from: "Train/Optimizer", not: ["Train/Averages", "Train/Evaluate", "Train/Probe", "Train/Run"] }
]

/** Packages that only some rooms know. */
const PACKAGES = [
  { name: "koffi", rooms: ["Device/Library", "Platform/FileLock"] },
  { name: "@tensorflow/tfjs-node-gpu", rooms: ["Device"] },
  // The vocabulary that networks, optimisers and steps are written in; how it is computed is the device's affair.
  {
    name: "@tensorflow/tfjs-core",
    rooms: [
      ...["Device", "Export", "Model", "Ops", "Predict/Tensors", "Train/Averages", "Train/Optimizer"],
      ...["Train/Probe/Benchmark", "Train/Step", "Train/Step/Loss"]
    ]
  },
  { name: "sharp", rooms: ["Data/ImageFolder", "Report"] },
  { name: "undici", rooms: ["Platform/HttpClient"] },
  { name: "@effect/platform-node", rooms: ["Main", "Cli", "Platform", "Distributed", "Log", "Serve", "Watch"] }
]

/** The files of a room, without those of rooms that are parts of it. */
const filesOf = (name) => {
  const parts = Object.keys(ROOMS).filter((other) => other.startsWith(`${name}/`))
  return `^src/${parts.map((part) => `(?!${part}(\\.ts$|/))`).join("")}${name}(\\.ts$|/)`
}

const names = Object.keys(ROOMS)
for (const [index, [name, below]] of Object.entries(ROOMS).entries()) {
  const wrong = below.find((other) => !names.slice(0, index).includes(other))
  if (wrong !== undefined) throw new Error(`${name} may import ${wrong}, which is not below it`)
}

const roomRule = ([name, below]) => ({
  name: `${name} imports only ${below.join(", ") || "nothing of src"}`,
  severity: "error",
  from: { path: filesOf(name) },
  to: { path: "^src/", pathNot: [name, ...below].map(filesOf) }
})

/** Where a program starts. */
const STARTS = "^src/(Main|index|Augment/Batch/Worker|Distributed/Heartbeat/Thread)\\.ts$"

export default {
  forbidden: [
    { name: "no cycle of imports", severity: "error", from: {}, to: { circular: true } },
    {
      name: "only index.ts imports every room",
      severity: "error",
      from: { pathNot: "^src/index\\.ts$" },
      to: { path: "^src/index\\.ts$" }
    },
    {
      name: "every file belongs to a room",
      severity: "error",
      from: {},
      to: { path: "^src/", pathNot: ["^src/index\\.ts$", ...names.map(filesOf)] }
    },
    ...Object.entries(ROOMS).map(roomRule),
    ...WALLS.map(({ from, not }) => ({
      name: `${from} knows nothing of ${not.join(", ")}`,
      severity: "error",
      from: { path: filesOf(from) },
      to: { path: not.map(filesOf) }
    })),
    ...PACKAGES.map(({ name, rooms }) => ({
      name: `only ${rooms.join(", ")} know ${name}`,
      severity: "error",
      from: { path: "^src/", pathNot: rooms.map(filesOf) },
      to: { path: `^node_modules/${name}/` }
    })),
    {
      name: "only the device as a service loads libtensorflow",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/Device\\.ts$" },
      to: { path: "^src/Device/Load\\.ts$" }
    },
    {
      name: "outside of Device, nothing calls libtensorflow",
      comment: "numbers of its types are written into files and graphs",
      severity: "error",
      from: { path: "^src/", pathNot: filesOf("Device") },
      to: { path: "^src/Device/Library/", pathNot: "/DataType\\.ts$" }
    },
    {
      name: "nothing is left over",
      comment: "every file is reached from the command line, the library or a thread",
      severity: "error",
      from: { path: STARTS },
      to: { path: "^src/", pathNot: STARTS, reachable: false }
    }
  ],
  options: {
    // swc reads types that are imported too, and the syntax that Node and TypeScript 7 take.
    parser: "swc",
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "^node_modules/" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "node", "default"] }
  }
}
