// What a model wrote, as elements: markdown, sanitised, block by block so that finished blocks stay put while text streams.

import markdownit from "../vendor/markdown-it.min.js";
import DOMPurify from "../vendor/purify.js";
import { colour } from "./colour.js";
import { copyText, el, icon, t } from "./dom.js";
import { drawMaths, maths } from "./maths.js";

const markdown = markdownit({ html: false, linkify: true, breaks: false, typographer: false }).use(maths);
const escape = markdown.utils.escapeHtml;

// A picture from elsewhere would tell its server who reads this, so it becomes a link.
markdown.renderer.rules.image = (tokens, index) => {
  const source = tokens[index].attrGet("src") ?? "";
  const name = escape(tokens[index].content || source);
  return source.startsWith("data:image/") ? `<img src="${escape(source)}" alt="${name}">` : `<a href="${escape(source)}">${name}</a>`;
};
markdown.renderer.rules.fence = (tokens, index) => code(tokens[index].content, tokens[index].info.trim().split(/\s+/)[0]);
markdown.renderer.rules.code_block = (tokens, index) => code(tokens[index].content, "");
markdown.renderer.rules.table_open = () => '<div class="table"><table>';
markdown.renderer.rules.table_close = () => "</table></div>";
for (const cell of ["th_open", "td_open"]) {
  // Alignment as a class: the page's policy lets no style attribute through.
  markdown.renderer.rules[cell] = (tokens, index, options, _env, self) => {
    const style = tokens[index].attrGet("style") ?? "";
    tokens[index].attrs = null;
    if (style.includes("right")) tokens[index].attrSet("class", "to-end");
    if (style.includes("center")) tokens[index].attrSet("class", "to-middle");
    return self.renderToken(tokens, index, options);
  };
}

function code(text, language) {
  return `<div class="code" data-language="${escape(language)}"><pre><code>${escape(text)}</code></pre></div>`;
}

const MESSAGE_LEVEL = 2;
const drawn = new WeakMap();

// Draw `source` into `target`; blocks whose source did not change are left alone.
export function render(target, source) {
  const environment = {};
  const tokens = markdown.parse(source, environment);
  levelHeadings(tokens);
  const groups = topLevel(tokens);
  const lines = source.split("\n");
  groups.forEach((group, place) => {
    const from = group[0].map?.[0] ?? 0;
    const until = groups[place + 1]?.[0].map?.[0] ?? lines.length;
    const written = lines.slice(from, until).join("\n");
    const old = target.children[place];
    if (old && drawn.get(old) === written) return;
    const block = el("div", { class: "block" });
    block.innerHTML = DOMPurify.sanitize(markdown.renderer.render(group, markdown.options, environment), { FORBID_ATTR: ["style"], FORBID_TAGS: ["style", "form", "input"] });
    finish(block);
    drawn.set(block, written);
    if (old) old.replaceWith(block);
    else target.append(block);
  });
  while (target.children.length > groups.length) target.lastElementChild.remove();
}

// An answer's headings stand below the message's own, and none skips a level, whatever the model wrote.
function levelHeadings(tokens) {
  let last = MESSAGE_LEVEL;
  for (const token of tokens) {
    if (token.type === "heading_open") last = Math.min(MESSAGE_LEVEL + Number(token.tag.slice(1)), last + 1, 6);
    if (token.type.startsWith("heading_")) {
      token.attrSet("class", `as-${token.tag}`);
      token.tag = `h${last}`;
    }
  }
}

function topLevel(tokens) {
  const groups = [];
  let depth = 0;
  for (const token of tokens) {
    if (depth === 0 && token.nesting >= 0) groups.push([]);
    groups.at(-1).push(token);
    depth += token.nesting;
  }
  return groups;
}

function finish(block) {
  for (const link of block.querySelectorAll("a[href]")) {
    link.target = "_blank";
    link.rel = "noopener noreferrer";
  }
  for (const table of block.querySelectorAll(".table")) reachable(table, t("live.table"));
  for (const box of block.querySelectorAll(".code")) frameCode(box);
  for (const place of block.querySelectorAll(".maths")) drawMaths(place);
}

// What scrolls sideways must be reachable by keyboard.
function reachable(box, label) {
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", label);
}

function frameCode(box) {
  const text = box.querySelector("code");
  const language = box.dataset.language;
  const copy = el("button", { type: "button", class: "button quiet small", onclick: () => copyText(text.textContent) }, icon("copy"), t("live.copy"));
  box.prepend(el("header", {}, el("span", {}, language || t("live.text")), copy));
  reachable(box.querySelector("pre"), t("live.code"));
  if (language) colour(text, language);
}
