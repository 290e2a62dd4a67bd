/** How a report looks, in light and dark, on a screen of any width. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f6f6f4; --card: #ffffff; --line: #e3e2de; --ink: #1b1b19; --soft: #66655f;
  --train: #7d7c76; --validation: #2a78d6; --orange: #e0602a; --violet: #8a4fc4; --teal: #11877f; --pink: #c93a82; --gold: #a67c00; --brown: #83563a; --good: #1f7a4d; --bad: #c8371e; --shadow: #0003;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #131312; --card: #1d1d1b; --line: #33322f; --ink: #efeeea; --soft: #a3a29a;
    --train: #8f8e87; --validation: #5b9eea; --orange: #f0824e; --violet: #b78be8; --teal: #43bdb2; --pink: #ee79b0; --gold: #d9ae3c; --brown: #c39273; --good: #58c48f; --bad: #ff8a70; --shadow: #fff4;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 36px 20px 64px; max-width: 1120px; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-variant-numeric: tabular-nums;
}
h2 { font-size: 20px; margin: 48px 0 12px; }
h3 { font-size: 15px; margin: 0; }
p { margin: 0; }
.note { color: var(--soft); font-size: 13px; margin: 4px 0 12px; }
header { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 28px; align-items: start; }
.kicker { color: var(--soft); font-weight: 600; }
.accuracy { font-size: clamp(56px, 9vw, 92px); line-height: 1.05; font-weight: 700; letter-spacing: -0.03em; }
.lead { font-size: 18px; }
.lead span { color: var(--soft); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin: 24px 0 0; }
.tiles div, .chart, .confusion > div, .classes, .facts {
  background: var(--card); border: 1px solid var(--line); border-radius: 10px;
}
.tiles div { padding: 12px 14px; }
dt { color: var(--soft); font-size: 13px; }
dd { margin: 0; font-size: 21px; font-weight: 600; }
.facts { width: 100%; border-spacing: 0; padding: 6px 0; font-size: 14px; }
.facts th { text-align: left; font-weight: 400; color: var(--soft); width: 9.5em; }
.facts th, .facts td { padding: 5px 16px; vertical-align: top; }
.facts td { overflow-wrap: anywhere; }
code, pre { font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
details { margin-top: 12px; }
summary { cursor: pointer; color: var(--soft); }
pre { overflow-x: auto; padding: 12px 16px; border: 1px solid var(--line); border-radius: 10px; background: var(--card); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 340px), 1fr)); gap: 16px; }
figure { margin: 0; }
.chart { padding: 14px 16px 6px; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; font-size: 13px; color: var(--soft); min-height: 1.5em; }
.legend b { color: var(--ink); font-weight: 600; }
.legend i { display: inline-block; width: 16px; height: 3px; border-radius: 2px; margin-right: 6px; vertical-align: 3px; background: var(--series); }
.train { --series: var(--train); } .validation { --series: var(--validation); } .orange { --series: var(--orange); }
.violet { --series: var(--violet); } .teal { --series: var(--teal); } .pink { --series: var(--pink); }
.gold { --series: var(--gold); } .brown { --series: var(--brown); }
svg { display: block; width: 100%; height: auto; font-family: inherit; }
.grid { stroke: var(--line); }
.tick { fill: var(--soft); font-size: 13px; }
.curve { fill: none; stroke: var(--series); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.curve.train { stroke-width: 1.5; }
.point { fill: var(--series); }
.mark { stroke: var(--soft); stroke-dasharray: 3 3; }
.place rect { fill: transparent; }
.place path { stroke: var(--soft); }
.place circle { fill: var(--series); stroke: var(--card); stroke-width: 2; }
.place text { font-size: 13px; fill: var(--ink); }
.place tspan[class] { fill: var(--series); }
.place > :not(rect) { visibility: hidden; pointer-events: none; }
.place:hover > * { visibility: visible; }
.confusion { display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 3fr); gap: 16px; align-items: start; }
.confusion > div { padding: 16px; }
.confusion.large { grid-template-columns: minmax(0, 1fr); }
.large .pairs { columns: 2; column-gap: 32px; }
.scroll { overflow-x: auto;
  background: linear-gradient(to right, var(--card) 30%, transparent) 0 0, linear-gradient(to left, var(--card) 30%, transparent) 100% 0,
    linear-gradient(to right, var(--shadow), transparent) 0 0, linear-gradient(to left, var(--shadow), transparent) 100% 0;
  background-size: 40px 100%, 40px 100%, 16px 100%, 16px 100%; background-repeat: no-repeat;
  background-attachment: local, local, scroll, scroll; }
:focus-visible { outline: 2px solid var(--validation); outline-offset: 2px; }
.numbers { margin: 0 0 8px; font-size: 13px; }
.numbers .scroll { max-height: 320px; overflow: auto; }
.numbers table { border-spacing: 0; } .numbers th, .numbers td { padding: 2px 10px; text-align: right; white-space: nowrap; font-weight: 400; }
.numbers thead th { color: var(--soft); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.matrix text { fill: var(--ink); }
.matrix .frame { fill: none; stroke: var(--line); }
.matrix .right { fill: var(--validation); } .matrix .wrong { fill: var(--orange); }
.matrix .correct, .matrix .number { text-anchor: middle; pointer-events: none; }
.pairs, .classes { list-style: none; margin: 10px 0 8px; padding: 0; }
.pairs li { break-inside: avoid; display: grid; grid-template-columns: 1fr auto 3em; gap: 8px; padding: 3px 6px; margin-bottom: 2px; border-radius: 4px;
  background: linear-gradient(to right, color-mix(in srgb, var(--orange) 28%, transparent) var(--share), transparent 0); }
.pairs span { overflow-wrap: anywhere; }
.pairs small { color: var(--soft); text-align: right; line-height: 22px; }
.samples { display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: 14px 12px; }
.sample img { display: block; width: 100%; border-radius: 6px; image-rendering: pixelated; background: var(--line); }
.sample figcaption { font-size: 13px; line-height: 1.35; margin-top: 5px; overflow-wrap: anywhere; }
.sample b { font-weight: 400; color: var(--soft); }
.right { color: var(--good); } .wrong { color: var(--bad); }
.truth { color: var(--ink); }
.classes { padding: 10px 16px; }
.classes li { position: relative; display: grid; grid-template-columns: 9em 1fr 4.5em; gap: 12px; align-items: center; padding: 3px 0; break-inside: avoid; }
.classes li > span:first-child { overflow-wrap: anywhere; }
.classes b { text-align: right; }
.track { position: relative; height: 16px; border-left: 1px solid var(--line); border-right: 1px solid var(--line); }
.track i { position: absolute; top: 0; bottom: 0; }
.track .all { border-left: 1px solid var(--soft); opacity: 0.6; }
.track .interval { top: 6px; bottom: 6px; border-radius: 2px; background: color-mix(in srgb, var(--validation) 40%, transparent); }
.track .dot { width: 10px; height: 10px; top: 3px; margin-left: -5px; border-radius: 50%; background: var(--validation); }
.many { columns: 2; column-gap: 40px; }
@media (max-width: 900px) { .confusion { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 760px) {
  body { padding: 24px 14px 48px; }
  header { grid-template-columns: minmax(0, 1fr); }
  .accuracy { font-size: clamp(48px, 13vw, 92px); }
  .many, .large .pairs { columns: 1; }
  .facts tr, .facts th, .facts td { display: block; }
  .facts th { padding-bottom: 0; width: auto; }
  .facts td { padding-top: 0; }
  .classes li { grid-template-columns: 7em 1fr 4.2em; gap: 8px; }
}
/* A chart is drawn in a fixed size and scaled: on a narrow one it is written larger, so that no text is below 11 px. */
.chart { container-type: inline-size; }
@container (max-width: 400px) { .tick, .place text { font-size: 16px; } }
@container (max-width: 320px) { .tick, .place text { font-size: 18px; } }
@container (max-width: 280px) { .tick, .place text { font-size: 20px; } }
`
