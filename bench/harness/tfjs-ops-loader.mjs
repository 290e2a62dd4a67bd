/** Has Node load tfjs-ops.mjs and tfjs-layers.mjs wherever the project's networks and steps ask for their own. */
const REPLACED = {
  "tfjs-ops.mjs": [
    "Ops/Activation",
    "Ops/BatchNorm",
    "Ops/Collective/SynchronisedBatchNorm",
    "Ops/Convolution",
    "Ops/LayerNorm",
    "Ops/Loss",
    "Ops/MomentumUpdate",
    "Ops/Pooling"
  ],
  "tfjs-layers.mjs": ["Model/Lowering/Folding", "Model/Lowering/FusedPointwise"]
}

const replacements = Object.entries(REPLACED).flatMap(([replacement, files]) =>
  files.map((file) => ({ file: `/dist/${file}.js`, url: new URL(replacement, import.meta.url).href }))
)

export const resolve = async (specifier, context, next) => {
  const found = await next(specifier, context)
  const replacement = replacements.find(({ file }) => found.url.endsWith(file))
  return replacement === undefined ? found : { ...found, url: replacement.url }
}
