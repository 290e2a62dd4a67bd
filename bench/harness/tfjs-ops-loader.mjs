/** Has Node load tfjs-ops.mjs and tfjs-layers.mjs wherever the project's networks and steps ask for their own. */
const REPLACED = {
  "tfjs-ops.mjs": [
    ...["Activation", "BatchNorm", "Convolution", "LayerNorm", "Loss", "MomentumUpdate", "Pooling"],
    ...["Fused/NormThenPointwise", "Fused/PointwiseThenNorm"]
  ].map((name) => `Ops/${name}`),
  "tfjs-layers.mjs": ["Model/Lowering/ConvNorm"]
}

const replacements = Object.entries(REPLACED).flatMap(([replacement, files]) =>
  files.map((file) => ({ file: `/dist/${file}.js`, url: new URL(replacement, import.meta.url).href }))
)

export const resolve = async (specifier, context, next) => {
  const found = await next(specifier, context)
  const replacement = replacements.find(({ file }) => found.url.endsWith(file))
  return replacement === undefined ? found : { ...found, url: replacement.url }
}
