/** Text for a terminal. */

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
