// Model cards: written in Markdown, drawn as the chat page draws answers.

import { render } from "./markdown.js";

for (const place of document.querySelectorAll("[data-markdown]")) {
  const source = place.textContent;
  place.replaceChildren();
  render(place, source);
}
