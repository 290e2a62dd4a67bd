/** The frame of a report: one HTML file that needs nothing else. */
import { html, Markup } from "./Html.ts"
import { STYLE } from "./Style.ts"

/** `style` is what the page needs beside the style of all reports. */
export const page = (title: string, sections: ReadonlyArray<Markup>, style = ""): string =>
  html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>${new Markup(STYLE + style)}</style></head>
<body>${sections}
</body></html>
`.text
