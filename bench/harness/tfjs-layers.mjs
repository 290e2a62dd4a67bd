/** What src/Model/Lowering joins, as programs for tfjs-node have it: each layer by itself, in training and evaluation. */
const apart = (layers) => layers.map(({ apply }) => apply)

export const folded = apart

export const fused = apart

export const endsFolded = () => false

export const wantsOnes = () => false
