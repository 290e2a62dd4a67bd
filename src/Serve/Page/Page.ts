/** The page at `/`, on which an image is dropped, pasted or chosen, and classified. It loads nothing from elsewhere. */
import { createHash } from "node:crypto"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { SCRIPT } from "./Script.ts"
import { STYLE } from "./Style.ts"

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>shakedrop</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<h1>What is in the image?</h1>
<label class="hidden" for="models">Model</label>
<select id="models"></select>
</header>
<form id="access" hidden>
<label class="hidden" for="token">Token</label>
<input id="token" type="password" placeholder="This server asks for a token" autocomplete="off">
<button>Use it</button>
</form>
<label class="drop" id="drop">
<strong>Drop or paste an image here</strong>
<span>or choose one: JPEG, PNG or WebP</span>
<input class="hidden" id="file" type="file" accept="image/jpeg,image/png,image/webp" multiple>
</label>
<ul id="results" aria-live="polite"></ul>
<footer>The image goes to this server and nowhere else, and is not kept. <a href="/openapi.json">How programs ask</a></footer>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`

const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`

/** Only the page's own script and style run, and it asks only this server. */
const POLICY = [
  "default-src 'none'",
  `script-src ${hash(SCRIPT)}`,
  `style-src ${hash(STYLE)}`,
  "img-src blob: data:",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'"
].join("; ")

export const pageAnswer = HttpServerResponse.text(PAGE, {
  contentType: "text/html; charset=utf-8",
  headers: { "content-security-policy": POLICY, "referrer-policy": "no-referrer" }
})
