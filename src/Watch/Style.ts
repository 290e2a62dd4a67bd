/** How the page looks besides the style of all reports. */
export const STYLE = `
body { max-width: 1280px; }
.top { display: flex; flex-wrap: wrap; gap: 8px 20px; align-items: baseline; justify-content: space-between; margin-bottom: 20px; }
h1 { font-size: 26px; letter-spacing: -0.01em; margin: 0; overflow-wrap: anywhere; }
h1 small { font-size: 14px; font-weight: 400; color: var(--soft); letter-spacing: 0; margin-left: 8px; }
a { color: var(--validation); text-underline-offset: 3px; }
a.plain { color: inherit; text-decoration-color: var(--line); }
.light { font-size: 13px; color: var(--soft); }
.light::before { content: ""; display: inline-block; width: 8px; height: 8px; border-radius: 50%; margin-right: 7px; background: var(--soft); }
.light.on::before { background: var(--good); }
#choice { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: center; }
#choice input { flex: 1 1 260px; max-width: 460px; font: inherit; color: inherit; padding: 9px 14px; border: 1px solid var(--line); border-radius: 10px; background: var(--card); }
#choice p { flex: 1 1 300px; margin: 0; }
#choice button, .button { font: inherit; padding: 8px 16px; border: 1px solid var(--line); border-radius: 10px; background: var(--card); color: var(--ink); text-decoration: none; cursor: pointer; }
.button:hover { border-color: var(--soft); }
.links { display: flex; flex-wrap: wrap; gap: 10px; margin-top: 20px; }
.told { color: var(--soft); font-size: 13px; margin: 14px 2px 6px; }
.wide { border: 1px solid var(--line); border-radius: 10px; background-color: var(--card); }
.runs { width: 100%; border-spacing: 0; font-size: 14px; }
.runs th, .runs td { text-align: left; vertical-align: middle; padding: 9px 12px; font-weight: 400; }
.runs tbody > tr > * { border-top: 1px solid var(--line); }
.runs thead th { white-space: nowrap; font-size: 13px; color: var(--soft); }
.runs thead a { color: var(--soft); text-decoration: none; }
.runs thead [aria-sort] a { color: var(--ink); font-weight: 600; }
.runs tbody tr:hover { background: color-mix(in srgb, var(--validation) 5%, transparent); }
.runs .name { font-weight: 600; min-width: 9em; overflow-wrap: anywhere; }
.runs small { display: block; color: var(--soft); font-size: 12px; font-weight: 400; line-height: 1.35; white-space: nowrap; }
.runs small.wrong { color: var(--bad); white-space: normal; }
.runs .number, .runs .word { white-space: nowrap; }
.runs td.box { width: 1px; padding-right: 0; box-shadow: inset 4px 0 var(--series, transparent); }
.runs input { width: 17px; height: 17px; margin: 0; display: block; accent-color: var(--series, var(--soft)); }
.soft { color: var(--soft); }
.measured { display: flex; gap: 12px; align-items: center; justify-content: space-between; }
.spark { width: 72px; height: 22px; flex: none; }
.spark path { fill: none; stroke: var(--series, var(--soft)); stroke-width: 1.5; stroke-linejoin: round; stroke-linecap: round; }
progress { display: block; width: 76px; height: 5px; margin-top: 5px; appearance: none; border: 0; border-radius: 3px; background: var(--line); overflow: hidden; }
progress::-webkit-progress-bar { background: var(--line); }
progress::-webkit-progress-value { background: var(--validation); border-radius: 3px; }
progress::-moz-progress-bar { background: var(--validation); }
.state { white-space: nowrap; font-size: 13px; font-weight: 400; }
.state::before { content: ""; display: inline-block; width: 8px; height: 8px; border-radius: 50%; margin-right: 7px; background: var(--soft); }
.state.training::before { background: var(--validation); animation: breathe 1.6s ease-in-out infinite; }
.state.finished::before { background: var(--good); }
.state.unreadable::before { background: var(--bad); }
@keyframes breathe { 50% { opacity: 0.25; } }
@media (prefers-reduced-motion: reduce) { .state.training::before { animation: none; } }
.chips { display: flex; flex-wrap: wrap; gap: 4px; max-width: 26em; }
.chip { font-size: 12px; line-height: 1.3; padding: 2px 8px; border-radius: 9px; background: var(--page); border: 1px solid var(--line); overflow-wrap: anywhere; }
.chip b { font-weight: 600; }
.empty { padding: 40px 20px; text-align: center; color: var(--soft); border: 1px dashed var(--line); border-radius: 10px; margin-top: 16px; }
.back { display: inline-block; margin-bottom: 6px; font-size: 14px; }
@media (max-width: 900px) {
  .wide { border: 0; background: none; overflow: visible; }
  .runs, .runs tbody { display: block; }
  .runs thead { display: block; margin: 0 0 12px; }
  .runs thead tr { display: flex; flex-wrap: wrap; gap: 2px 16px; }
  .runs thead th { padding: 4px 2px; }
  .runs thead td, .runs thead th:last-child { display: none; }
  .runs tbody tr { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 8px 14px; position: relative; margin-bottom: 12px; padding: 13px 16px 13px 48px; border: 1px solid var(--line); border-radius: 10px; background: var(--card); }
  .runs tbody > tr > * { border: 0; padding: 0; }
  .runs td.box { position: absolute; left: 0; top: 0; bottom: 0; width: 48px; padding: 15px 0 0 16px; box-shadow: none; border-left: 4px solid var(--series, transparent); border-radius: 10px 0 0 10px; }
  .runs td.box input { width: 20px; height: 20px; }
  .runs .name, .runs .differences { grid-column: 1 / -1; }
  .runs td[data-label]::before { content: attr(data-label); display: block; font-size: 12px; color: var(--soft); }
  .runs .spark { display: none; }
  .runs .word { white-space: normal; overflow-wrap: anywhere; }
  .runs td.differences:not(:has(.chip)) { display: none; }
}
`
