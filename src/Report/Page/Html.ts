/** HTML and SVG as values: what is put into a template is escaped unless it is markup itself. */

import { printable } from "../../Platform/Text.ts"

export class Markup {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

type Part = string | number | Markup | ReadonlyArray<Markup>

/** Characters, besides control characters, that XML 1.0 does not have: halves of pairs (surrogates) and two more. */
const NOT_XML = /[\p{Cs}\ufffe\uffff]/gu

/** Text with the characters escaped that mean something in HTML and SVG, or must not be there. */
export const escaped = (text: string): string =>
  printable(text.replace(NOT_XML, "\ufffd")).replace(
    /[&<>"']/g,
    (character) => `&#${character.charCodeAt(0)};`
  )

const render = (part: Part): string =>
  part instanceof Markup
    ? part.text
    : typeof part === "object"
      ? part.map(({ text }) => text).join("")
      : escaped(String(part))

/** A template of HTML or SVG. */
export const html = (template: TemplateStringsArray, ...parts: ReadonlyArray<Part>): Markup =>
  new Markup(String.raw({ raw: template }, ...parts.map(render)))

export const NOTHING = new Markup("")

/** A share in per cent, on one line. */
export const percent = (share: number, digits = 2): string => `${(100 * share).toFixed(digits)}\u00a0%`

export const count = (value: number): string => Math.round(value).toLocaleString("en-GB")

/** Coordinates in SVG need no more than a hundredth of a pixel. */
export const px = (value: number): number => Math.round(100 * value) / 100
