/** The page on runs in a real browser: live, by keyboard, as narrow as a phone, in the dark. */
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { watch } from "../../src/Watch.ts"
import { browserTab, CHROMIUM } from "../support/Browser.ts"
import { temporaryRuns, writeEpoch, writeRun } from "../support/WatchedRuns.ts"

const NASTY = "<img src=x onerror=alert(1)>"

/** Set to a folder to look at the pages. */
const { SCREENSHOTS } = process.env

describe.skipIf(CHROMIUM === undefined)("the page in a browser", () => {
  it.live("is live, and works by keyboard, on a phone and in the dark", () =>
    Effect.gen(function* () {
      const root = yield* temporaryRuns
      yield* writeRun(root, "plain", { epochs: 8, accuracy: 0.85 })
      yield* writeRun(root, "faster", { epochs: 8, accuracy: 0.9, over: { train: { learningRate: 0.7 } } })
      const training = yield* writeRun(root, "training", { epochs: 3, training: true })
      yield* writeRun(root, NASTY, { epochs: 2 })
      const address = yield* watch({ root, host: "127.0.0.1", port: 0 })
      const tab = yield* browserTab(CHROMIUM ?? "")
      const text = "document.getElementById('live').textContent"
      const rows =
        "[...document.querySelectorAll('.runs tbody .name a')].map((link) => link.textContent).join()"
      const shown = async (name: string) => {
        if (SCREENSHOTS !== undefined) await tab.screenshot(path.join(SCREENSHOTS, `${name}.png`))
      }

      yield* Effect.promise(async () => {
        await tab.look(1280, "light")
        await tab.open(address)
        await tab.until("document.getElementById('light').textContent === 'live'")
        assert.strictEqual(await tab.evaluate("document.images.length"), 0)
        assert.include(await tab.evaluate(rows), NASTY)
        await shown("list")
        // A new epoch is shown without anything being done, and the focus stays where it is.
        await tab.evaluate("document.getElementById('box-training').focus()")
        await Effect.runPromise(writeEpoch(training, 4))
        await tab.until(`${text}.includes("4 of 8")`)
        assert.strictEqual(await tab.evaluate("document.activeElement.id"), "box-training")

        // By keyboard: a filter, the order, and whose curves are shown.
        await tab.evaluate("document.getElementById('q').focus()")
        await tab.type("finished")
        await tab.until(`${text}.startsWith("2 of 4 runs")`)
        await tab.evaluate("document.getElementById('sort-accuracy').focus()")
        await tab.press("Enter")
        // The newest first, as before, is the same order: only the head says that it is another one.
        await tab.until(`document.querySelector("th[aria-sort=descending] #sort-accuracy") !== null`)
        await tab.until(`${rows} === "faster,plain"`)
        await tab.press("Enter")
        await tab.until(`${rows} === "plain,faster"`)
        assert.strictEqual(await tab.evaluate("document.activeElement.id"), "sort-accuracy")
        await tab.evaluate("document.getElementById('box-plain').focus()")
        await tab.press(" ")
        await tab.until("location.search.includes('run=faster') && !location.search.includes('run=plain')")
        await tab.until(
          "document.querySelectorAll('.charts .chart').length === 6 && document.querySelectorAll('.chart .curve').length === 6"
        )
        // The address says all of it.
        const found = String(await tab.evaluate("location.href"))
        await tab.open(found)
        assert.strictEqual(await tab.evaluate(rows), "plain,faster")
        assert.strictEqual(await tab.evaluate("document.getElementById('q').value"), "finished")

        for (const [name, target] of [
          ["phone", address],
          ["phone-run", `${address}run?name=training`]
        ]) {
          await tab.look(390, "dark")
          await tab.open(target)
          assert.isAtMost(Number(await tab.evaluate("document.documentElement.scrollWidth")), 390)
          const paper = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0] < 60"
          assert.isTrue(await tab.evaluate(paper))
          await shown(name)
        }
        await tab.look(1280, "light")
        await tab.open(`${address}run?name=plain`)
        await tab.until("document.getElementById('light').textContent === 'live'")
        await shown("run")
        await tab.evaluate("document.querySelector('.button').click()")
        await tab.until("document.querySelector('h1')?.textContent === 'report of 5 letters'")
      })
      assert.deepStrictEqual(tab.problems, [])
    }).pipe(Effect.scoped)
  )
})
