/** The programs that ours is measured beside: where their interpreters are, and what runs in them. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { createInterface } from "node:readline/promises"
import { fileOf, inNode, measure, run } from "./child.mjs"
import { atExit } from "./ending.mjs"
import { startResident } from "./resident.mjs"

/** What each framework's folder is made of. TensorFlow is of the version that ours runs on. */
const PACKAGES = {
  torch: ["torch==2.15.0", "torchvision==0.29.2", "pillow==13.0.0", "numpy==2.4.6"],
  tensorflow: [process.arch === "x64" ? "tensorflow-cpu==2.21.0" : "tensorflow==2.21.0", "numpy==2.4.6"]
}

const FOLDER = fileOf(".peers")

const ENVIRONMENT = {
  // Ours sets it too: without AVX-512 TensorFlow leaves oneDNN off by itself.
  TF_ENABLE_ONEDNN_OPTS: "1",
  TF_CPP_MIN_LOG_LEVEL: "2",
  // What torch.compile has compiled serves the next run.
  TORCHINDUCTOR_CACHE_DIR: path.join(FOLDER, "inductor")
}

/** Each with its program in bench/peers/ and what that is told, or none where it is a program in Node. */
export const peers = {
  torch: { title: "PyTorch, eager", framework: "torch", gpu: true, args: ["peers/torch_step.py", "eager"] },
  "torch-channels-last": {
    title: "PyTorch, eager, channels last",
    framework: "torch",
    gpu: true,
    args: ["peers/torch_step.py", "channels-last"]
  },
  "torch-compile": {
    title: "PyTorch, torch.compile",
    framework: "torch",
    gpu: true,
    args: ["peers/torch_step.py", "compile"]
  },
  tensorflow: {
    title: "TensorFlow, tf.function",
    framework: "tensorflow",
    args: ["peers/tensorflow_step.py"]
  },
  tfjs: { title: "tfjs, each op called from JavaScript", framework: undefined }
}

/** A program of our own in Node that takes turns as a spec says. */
export const startInNode = (file, spec) => startResident(...inNode(file, JSON.stringify(spec)))

/** Without it TensorFlow would measure a GPU that the machine has. */
const WITHOUT_GPU = { CUDA_VISIBLE_DEVICES: "-1" }

const startInPython = (python, [file, ...args], spec) =>
  startResident(python, [fileOf(file), ...args, JSON.stringify(spec)], {
    ...ENVIRONMENT,
    ...(spec.device === "gpu" ? {} : WITHOUT_GPU)
  })

/** A peer that takes turns of steps. */
export const startPeer = (name, interpreters, spec) => {
  const { args, framework } = peers[name]
  if (framework === undefined) return startInNode("harness/tfjs.mjs", spec)
  return startInPython(interpreters[framework].python, args, spec)
}

/** torchvision, taking turns of augmentation. */
export const startTorchvision = (interpreters, spec) =>
  startInPython(interpreters.torch.python, ["peers/torchvision_augment.py"], spec)

const stampOf = (framework) => path.join(FOLDER, framework, "packages.json")

const isInstalled = (framework) =>
  existsSync(stampOf(framework)) &&
  readFileSync(stampOf(framework), "utf8") === JSON.stringify(PACKAGES[framework])

/** Fails unless somebody agrees to an installation: by `yes`, or at a terminal. */
const agree = async (frameworks, yes) => {
  if (yes || frameworks.length === 0) return
  const packages = frameworks.flatMap((framework) => PACKAGES[framework]).join(", ")
  const what = `${packages} into ${FOLDER}, which takes several gigabytes`
  if (process.stdin.isTTY && process.stderr.isTTY) {
    const terminal = createInterface({ input: process.stdin, output: process.stderr })
    const answer = await terminal.question(`install ${what}? [y/N] `)
    terminal.close()
    if (/^y(es)?$/i.test(answer.trim())) return
  }
  throw new Error(
    `not installed: ${what}; add --yes to install them, --python PATH for an interpreter that has them, or --peers tfjs to go without them`
  )
}

/**
 * Makes a framework's folder, unless it holds the same packages already; gives its interpreter. A folder that is not
 * finished is removed, also where this process is interrupted.
 */
const installed = async (framework, say) => {
  const folder = path.join(FOLDER, framework)
  const python = path.join(folder, "bin", "python")
  if (isInstalled(framework)) return python
  say(`installing ${PACKAGES[framework].join(", ")} into ${folder}`)
  // Killed as it is, pip may be about to write one more file.
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  const keep = atExit(remove)
  try {
    await run("python3", ["-m", "venv", "--clear", folder])
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...PACKAGES[framework]]
    await run(python, pip)
    writeFileSync(stampOf(framework), JSON.stringify(PACKAGES[framework]))
  } catch (error) {
    remove()
    throw error
  } finally {
    keep()
  }
  return python
}

const VERSIONS = `
import importlib.metadata, json, platform, sys
importlib.import_module(sys.argv[1])
names = {"torch": ["torch", "torchvision", "pillow"], "tensorflow": ["tensorflow", "tensorflow-cpu"]}[sys.argv[1]]
found = {d.metadata["Name"].lower().replace("_", "-"): d.version for d in importlib.metadata.distributions()}
print(json.dumps({"python": platform.python_version(), **{n: found[n] for n in names if n in found}}))
`

/**
 * An interpreter of a framework and its versions, or why there is none: that of `python` where it is given, else one
 * of a folder of our own.
 */
const interpreterFor = async (framework, python, say) => {
  try {
    const found = python ?? (await installed(framework, say))
    return { python: found, versions: await measure(found, ["-c", VERSIONS, framework], ENVIRONMENT) }
  } catch (error) {
    return { unavailable: error.message }
  }
}

/** Interpreters for the frameworks of some peers, by framework. What is missing is installed only with consent. */
export const findInterpreters = async (frameworks, python, say, yes) => {
  const found = {}
  const missing = python === undefined ? [...new Set(frameworks)].filter((each) => !isInstalled(each)) : []
  await agree(missing, yes)
  for (const framework of new Set(frameworks)) found[framework] = await interpreterFor(framework, python, say)
  return found
}
