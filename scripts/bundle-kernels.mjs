/**
 * Bundles the kernels of @tensorflow/tfjs-node-gpu, and tfjs's gradients and chained operations, into one file that needs
 * nothing but @tensorflow/tfjs-core at run time. So who installs this package neither runs that package's install script,
 * which downloads a TensorFlow that is not used here, nor gets the 140 MB of @tensorflow/tfjs.
 *
 *   node scripts/bundle-kernels.mjs DIST
 */
import { readFile } from "node:fs/promises"
import { createRequire } from "node:module"
import * as path from "node:path"
import { build } from "esbuild"

const [dist] = process.argv.slice(2)
if (dist === undefined) throw new Error("the folder of the build is missing")

const require = createRequire(import.meta.url)
const NODE_GPU = path.dirname(require.resolve("@tensorflow/tfjs-node-gpu/package.json"))
const CORE = path.dirname(require.resolve("@tensorflow/tfjs-core/package.json"))

const entry = `
require(${JSON.stringify(path.join(CORE, "dist/register_all_gradients.js"))})
require(${JSON.stringify(path.join(CORE, "dist/public/chained_ops/register_all_chained_ops.js"))})
exports.NodeJSKernelBackend = require("./dist/nodejs_kernel_backend.js").NodeJSKernelBackend
exports.BACKEND = SHAKEDROP_BACKEND
exports.registerKernels = () => require("./dist/register_all_kernels.js")
`

/** What the kernels ask for, in place of what they name. */
const replaced = {
  name: "replaced",
  setup: ({ onLoad, onResolve }) => {
    // Kernels are registered for a backend by its name: one of this file's own, so that tfjs-node in the same program, or
    // another copy of this package, neither gets these nor replaces them.
    onLoad({ filter: /tfjs-node-gpu\/dist\/.*\.js$/ }, async ({ path: file }) => ({
      contents: (await readFile(file, "utf8")).replaceAll(/(["'])tensorflow\1/g, "SHAKEDROP_BACKEND")
    }))
    // The kernels take operations from tfjs as a whole that are all in its core.
    onResolve({ filter: /^@tensorflow\/tfjs$/ }, () => ({ path: "@tensorflow/tfjs-core", external: true }))
    // Two functions of Node's util that Node 23 no longer has.
    onResolve({ filter: /^util$/ }, () => ({ path: "util", namespace: "replaced" }))
    // Messages of TensorBoard's summaries, which are not written here.
    onResolve({ filter: /\/api_pb$/ }, () => ({ path: "api_pb", namespace: "replaced" }))
    onLoad({ filter: /^util$/, namespace: "replaced" }, () => ({
      contents:
        "export const isNullOrUndefined = (x) => x === null || x === undefined; export const isArray = Array.isArray"
    }))
    onLoad({ filter: /^api_pb$/, namespace: "replaced" }, () => ({ contents: "module.exports = {}" }))
  }
}

await build({
  stdin: { contents: entry, resolveDir: NODE_GPU, loader: "js" },
  outfile: path.join(dist, "Device/Trace/kernels.cjs"),
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  external: ["@tensorflow/tfjs-core"],
  legalComments: "eof",
  minifySyntax: true,
  minifyWhitespace: true,
  banner: {
    js: "/* @tensorflow/tfjs-node-gpu's kernels and @tensorflow/tfjs-core's gradients and chained operations, 4.22.0. Copyright Google LLC. Apache License, Version 2.0: http://www.apache.org/licenses/LICENSE-2.0 */\nconst SHAKEDROP_BACKEND = 'shakedrop:' + __filename"
  },
  plugins: [replaced],
  logLevel: "warning"
})
