/** Rounds to the nearest integer, and halves to the even one, as Python's `round` and `torch.round` do. */
export const roundHalfEven = (value: number): number => {
  const below = Math.floor(value)
  if (value - below !== 0.5) return Math.round(value)
  return below % 2 === 0 ? below : below + 1
}
