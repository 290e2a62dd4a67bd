/** What the page does: it sends images that are dropped, pasted or chosen to \`classify\`, and shows the answers. */
export const SCRIPT = `
"use strict"
const byId = (id) => document.getElementById(id)
const [models, drop, file, results, access, token] =
  ["models", "drop", "file", "results", "access", "token"].map(byId)

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}

const ask = async (path, options = {}) => {
  const headers = token.value === "" ? {} : { authorization: "Bearer " + token.value }
  const answer = await fetch(path, { ...options, headers: { ...headers, ...options.headers } })
  const body = await answer.json().catch(() => ({}))
  if (answer.ok) return body
  if (answer.status === 401 || answer.status === 403) access.hidden = false
  throw new Error(body.error ?? "the server answered with " + answer.status)
}

const percent = (share) => (100 * share).toFixed(share < 0.1 ? 2 : 1) + " %"

const row = ({ class: name, probability }) =>
  element("tr", {},
    element("th", { scope: "row", textContent: name }),
    element("td", {}, element("progress", { max: 1, value: probability, ariaLabel: percent(probability) })),
    element("td", { textContent: percent(probability) }))

const show = async (image) => {
  const source = URL.createObjectURL(image)
  const said = element("div", { textContent: "…" })
  const picture = element("img", { src: source, alt: "" })
  picture.onload = picture.onerror = () => URL.revokeObjectURL(source)
  results.prepend(element("li", {}, picture, said))
  const name = element("p", { className: "name", textContent: image.name })
  try {
    const path = "/v2/models/" + encodeURIComponent(models.value) + "/classify?top=5"
    const classes = await ask(path, { method: "POST", body: image, headers: { "content-type": image.type || "application/octet-stream" } })
    said.replaceChildren(
      element("h2", { textContent: classes[0].class }), name,
      element("table", {}, element("tbody", {}, ...classes.map(row))))
  } catch (error) {
    said.replaceChildren(element("h2", { className: "wrong", textContent: error.message }), name)
  }
}

const showAll = (files) => { for (const image of files) show(image) }

const load = async () => {
  try {
    const { models: names } = await ask("/v2/models")
    models.replaceChildren(...names.map((name) => element("option", { textContent: name })))
    access.hidden = true
  } catch (error) {
    models.replaceChildren(element("option", { textContent: error.message }))
  }
}

file.addEventListener("change", () => { showAll(file.files); file.value = "" })
for (const kind of ["dragenter", "dragover"]) addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over") })
addEventListener("dragleave", (event) => { if (event.relatedTarget === null) drop.classList.remove("over") })
addEventListener("drop", (event) => { event.preventDefault(); drop.classList.remove("over"); showAll(event.dataTransfer.files) })
addEventListener("paste", (event) => showAll(event.clipboardData.files))
access.addEventListener("submit", (event) => { event.preventDefault(); load() })
load()
`
