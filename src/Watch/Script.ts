/**
 * What runs in the browser: it takes new contents of the page from the server's events, and tells it at once of what is
 * chosen. Without it the page works too, by its form and links, but is not live.
 */
export const SCRIPT = `
const live = document.getElementById("live")
const form = document.getElementById("choice")
const light = document.getElementById("light")
let source

// Where the reader is: the focus, what is unfolded, and how far boxes are scrolled.
const replace = (text) => {
  const focus = document.activeElement?.id
  const open = [...live.querySelectorAll("details")].map((details) => details.open)
  const scrolled = [...live.querySelectorAll(".scroll")].map((box) => [box.scrollLeft, box.scrollTop])
  live.innerHTML = text
  live.querySelectorAll("details").forEach((details, i) => { details.open = open[i] ?? false })
  live.querySelectorAll(".scroll").forEach((box, i) => { [box.scrollLeft, box.scrollTop] = scrolled[i] ?? [0, 0] })
  if (focus && document.activeElement?.id !== focus) document.getElementById(focus)?.focus({ preventScroll: true })
}

const say = (text, on) => { light.textContent = text; light.className = on ? "light on" : "light" }

const listen = () => {
  source?.close()
  const query = new URLSearchParams(location.search)
  query.set("page", location.pathname)
  source = new EventSource("/events?" + query)
  source.onopen = () => say("live", true)
  source.onerror = () => say(source.readyState === EventSource.CLOSED ? "not live" : "the server does not answer", false)
  source.onmessage = ({ data }) => replace(JSON.parse(data))
}

const go = (address) => { history.replaceState(null, "", address); listen() }

form?.addEventListener("submit", (event) => event.preventDefault())
let waiting
form?.addEventListener("input", () => {
  clearTimeout(waiting)
  waiting = setTimeout(() => {
    const query = new URLSearchParams(location.search)
    query.set("q", form.elements.q.value)
    go("/?" + query)
  }, 150)
})
live.addEventListener("change", ({ target }) => {
  if (target.form === form) go("/?" + new URLSearchParams(new FormData(form)))
})
live.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-choice]")
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return
  event.preventDefault()
  const words = new URL(link.href).searchParams.get("q")
  form.elements.q.value = words ?? ""
  go(link.href)
})
listen()
`
