// Maths in answers: $…$, $$…$$, \(…\) and \[…\], drawn as MathML by Temml, which is loaded when the first formula appears.

const OPENINGS = [["$$", "$$", true], ["\\[", "\\]", true], ["\\(", "\\)", false], ["$", "$", false]];
let loading;

// A plugin for markdown-it: formulas become <span class="maths" data-tex="…">.
export function maths(markdown) {
  markdown.inline.ruler.before("escape", "maths", inlineRule);
  markdown.block.ruler.before("fence", "maths", blockRule, { alt: ["paragraph"] });
  markdown.renderer.rules.maths = (tokens, index) => {
    const tex = markdown.utils.escapeHtml(tokens[index].content);
    return `<span class="maths${tokens[index].block ? " display" : ""}" data-tex="${tex}">${tex}</span>`;
  };
}

function inlineRule(state, silent) {
  const rest = state.src.slice(state.pos, state.posMax);
  const opening = OPENINGS.find(([start]) => rest.startsWith(start));
  if (!opening) return false;
  const [start, end, display] = opening;
  const length = closingOf(rest, start, end);
  if (length < 0) return false;
  if (!silent) push(state, rest.slice(start.length, length), display);
  state.pos += length + end.length;
  return true;
}

// "$5 and $6" is money: an opening dollar has no space after it, a closing one none before it and no digit after it.
function closingOf(rest, start, end) {
  if (start === "$" && (/^\$\s/.test(rest) || rest.startsWith("$$"))) return -1;
  for (let from = start.length; ; ) {
    const found = rest.indexOf(end, from);
    if (found < 0 || found === start.length) return -1;
    const escaped = rest[found - 1] === "\\" && rest[found - 2] !== "\\";
    const money = start === "$" && (/\s/.test(rest[found - 1]) || /\d/.test(rest[found + 1] ?? ""));
    if (!escaped && !money) return found;
    if (money && !escaped) return -1;
    from = found + end.length;
  }
}

function blockRule(state, firstLine, lastLine, silent) {
  const first = state.src.slice(state.bMarks[firstLine] + state.tShift[firstLine], state.eMarks[firstLine]);
  const opening = OPENINGS.find(([start, , display]) => display && first.startsWith(start));
  if (!opening) return false;
  const [start, end] = opening;
  const from = state.bMarks[firstLine] + state.tShift[firstLine] + start.length;
  const found = state.src.indexOf(end, from);
  let line = firstLine;
  while (line < lastLine && state.eMarks[line] < found) line += 1;
  if (found < 0 || line >= lastLine || state.src.slice(found + end.length, state.eMarks[line]).trim()) return false;
  if (silent) return true;
  const token = push(state, state.src.slice(from, found), true);
  token.map = [firstLine, line + 1];
  state.line = line + 1;
  return true;
}

function push(state, content, display) {
  const token = state.push("maths", "", 0);
  token.content = content.trim();
  token.block = display;
  return token;
}

function load() {
  loading ??= new Promise((resolve, reject) => {
    const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL("../vendor/Temml-Local.css", import.meta.url).href });
    const script = Object.assign(document.createElement("script"), { src: new URL("../vendor/temml.min.js", import.meta.url).href });
    script.onload = () => resolve(globalThis.temml);
    script.onerror = reject;
    document.head.append(sheet, script);
  });
  return loading;
}

// Draw one formula; one that TeX would not read stays as it was written.
export async function drawMaths(place) {
  const display = place.classList.contains("display");
  try {
    const temml = await load();
    temml.render(place.dataset.tex, place, { displayMode: display, throwOnError: true, trust: false, maxSize: [50, 50], maxExpand: 200 });
  } catch {
    place.classList.add("unread");
    place.textContent = display ? `$$${place.dataset.tex}$$` : `$${place.dataset.tex}$`;
  }
}
