/** Text for people: safe for a terminal, and numbers as they are read. */

/** Control characters, except line feeds, and those that change the direction of text. */
const CONTROL = /(?!\n)[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

/**
 * Escapes control characters, so that the name of a file, its contents or a server's answer cannot command the
 * terminal. Line feeds stay.
 */
export const printable = (text: string): string => text.replace(CONTROL, escaped)

/** Text in one line, without control characters: lines are joined by spaces. */
export const oneLine = (text: string): string => printable(text.trim().replace(/\s*\r?\n\s*/g, " "))

/** A time in its two largest units: `42 s`, `3 min 20 s`, `2 h 05 min`, `3 d 04 h`. */
export const formatSeconds = (seconds: number): string => {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0")
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${two((whole % 3600) / 60)} min`
  return `${Math.floor(whole / 86_400)} d ${two((whole % 86_400) / 3600)} h`
}

/** A share as `12.34 %`. */
export const percent = (share: number): string => `${(100 * share).toFixed(2)} %`

/** A number to three digits with a unit's prefix: 1,234,567 as `1.23 M`. */
export const short = (value: number): string => {
  const rounded = Number(value.toPrecision(3))
  const units = ["", " k", " M", " G", " T"]
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, rounded)) / 3))
  return `${Number((rounded / 1000 ** power).toPrecision(3))}${units[power]}`
}

/** The first names of a list, and how many more there are. */
export const someOf = (names: ReadonlyArray<string>, most = 3, between = ", "): string =>
  names.length <= most
    ? names.join(between)
    : `${names.slice(0, most).join(between)} and ${names.length - most} more`
