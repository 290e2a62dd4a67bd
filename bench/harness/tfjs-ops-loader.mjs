/** Has Node load tfjs-ops.mjs wherever the project's networks and steps ask for their own ops. */
const OURS = ["NormPointwise", "Ops", "PointwiseNorm", "Update"].map((name) => `/dist/Device/${name}.js`)

export const resolve = async (specifier, context, next) => {
  const found = await next(specifier, context)
  if (!OURS.some((file) => found.url.endsWith(file))) return found
  return { ...found, url: new URL("tfjs-ops.mjs", import.meta.url).href }
}
