/** The documents: that what they link to and name is there. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import * as path from "node:path"
import { assert, it } from "@effect/vitest"

const pages = [
  "README.md",
  ...readdirSync("docs", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => path.join("docs", file))
]

const withoutCode = (page: string): string => readFileSync(page, "utf8").replace(/^```.*?^```/gms, "")

/** What GitHub calls a heading in a link. */
const anchorOf = (heading: string): string =>
  heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replace(/\s/g, "-")

const anchorsOf = (page: string): ReadonlyArray<string> =>
  [...withoutCode(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading))

/** Links of a page to a file that is not there, or to a heading that its page does not have. */
const brokenLinks = (page: string): ReadonlyArray<string> =>
  [...withoutCode(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link)
    .filter((link) => {
      if (/^[a-z]+:/.test(link)) return false
      const [file, anchor] = link.split("#")
      const target = file === "" ? page : path.join(path.dirname(page), file)
      if (!existsSync(target)) return true
      return anchor !== undefined && target.endsWith(".md") && !anchorsOf(target).includes(anchor)
    })

/** Files of the project that a page names and that are not there. */
const missingFiles = (page: string): ReadonlyArray<string> =>
  [
    ...readFileSync(page, "utf8").matchAll(
      /\b(?:src|test|docs|bench|examples|scripts)\/[\w./-]*\.(?:ts|mjs|md|py|json|svg|png)\b/g
    )
  ]
    .map(([file]) => file)
    .filter((file) => !existsSync(file))

it.each(pages)("%s links to what is there", (page) => {
  assert.deepStrictEqual(brokenLinks(page), [])
  assert.deepStrictEqual(missingFiles(page), [])
})
