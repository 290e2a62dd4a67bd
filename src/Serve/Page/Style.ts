/** The look of the page: by day and by night, from a telephone's width on. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f6f5f2, #16181b);
  --card: light-dark(#ffffff, #1f2226);
  --ink: light-dark(#1d2023, #eceae6);
  --soft: light-dark(#5d636a, #a3a8ae);
  --line: light-dark(#d9d6cf, #383d43);
  --accent: light-dark(#0b6e75, #4fc1c9);
  --track: light-dark(#e9e7e1, #2b2f34);
  --wrong: light-dark(#a8321f, #ff9481);
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 44rem; margin: 0 auto; padding: clamp(1rem, 4vw, 3rem) 1rem 4rem; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; margin-bottom: 1.25rem; }
h1 { font-size: 1.35rem; letter-spacing: -.01em; margin: 0; flex: 1 1 auto; }
select, input[type="password"], button {
  font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line);
  border-radius: .5rem; padding: .4rem .7rem; max-width: 100%;
}
label.drop {
  display: grid; place-items: center; place-content: center; text-align: center; gap: .35rem; min-height: 11rem; padding: 1.5rem 1rem;
  background: var(--card); border: 2px dashed var(--line); border-radius: 1rem; cursor: pointer;
  transition: border-color .15s, background .15s;
}
label.drop strong { font-weight: 600; }
label.drop span { color: var(--soft); font-size: .93rem; }
label.drop:hover, label.drop.over { border-color: var(--accent); }
label.drop.over { background: color-mix(in srgb, var(--accent) 9%, var(--card)); }
:focus-visible, label.drop:focus-within { outline: 3px solid var(--accent); outline-offset: 2px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
form { display: flex; flex-wrap: wrap; gap: .5rem; margin: 0 0 1rem; }
form[hidden] { display: none; }
form input { flex: 1 1 12rem; }
#results { list-style: none; margin: 1.25rem 0 0; padding: 0; display: grid; gap: 1rem; }
#results li {
  display: grid; grid-template-columns: 7.5rem 1fr; gap: 1rem; align-items: start;
  background: var(--card); border: 1px solid var(--line); border-radius: 1rem; padding: 1rem;
}
#results img {
  width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: .5rem; background: var(--track);
}
#results h2 { font-size: 1.1rem; margin: 0 0 .1rem; overflow-wrap: anywhere; }
#results .name { color: var(--soft); font-size: .85rem; margin: 0 0 .6rem; overflow-wrap: anywhere; }
.wrong { color: var(--wrong); }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .93rem; }
th { font-weight: 400; text-align: left; padding: .15rem .6rem .15rem 0; width: 40%; overflow-wrap: anywhere; }
td { padding: .15rem 0; }
td:last-child { width: 4.2rem; white-space: nowrap; text-align: right; color: var(--soft); }
progress {
  appearance: none; display: block; width: 100%; height: .6rem; border: 0; border-radius: 1rem;
  background: var(--track); overflow: hidden;
}
progress::-webkit-progress-bar { background: var(--track); }
progress::-webkit-progress-value { background: var(--accent); }
progress::-moz-progress-bar { background: var(--accent); }
footer { margin-top: 2rem; color: var(--soft); font-size: .88rem; }
footer a { color: var(--accent); }
@media (max-width: 26rem) {
  #results li { grid-template-columns: 4.5rem 1fr; gap: .75rem; padding: .75rem; }
}
@media (prefers-reduced-motion: reduce) { label.drop { transition: none; } }
`
