// Code colours: highlight.js, each language loaded when its first block appears.

import hljs from "../vendor/highlight/core.min.js";

const LANGUAGES = new Set("bash c cpp csharp css diff dockerfile go graphql http ini java javascript json julia kotlin latex lua makefile markdown nginx php plaintext powershell properties protobuf python r ruby rust scala shell sql swift typescript xml yaml".split(" "));
const ALIASES = { sh: "bash", zsh: "bash", console: "shell", "c++": "cpp", "c#": "csharp", cs: "csharp", docker: "dockerfile", golang: "go", toml: "ini", js: "javascript", mjs: "javascript", jsx: "javascript", jsonl: "json", kt: "kotlin", tex: "latex", make: "makefile", md: "markdown", text: "plaintext", txt: "plaintext", ps1: "powershell", proto: "protobuf", py: "python", python3: "python", rb: "ruby", rs: "rust", ts: "typescript", tsx: "typescript", html: "xml", svg: "xml", yml: "yaml" };
const LONGEST = 60_000;
const loading = new Map();

function load(name) {
  if (!loading.has(name)) {
    loading.set(name, import(`../vendor/highlight/${name}.min.js`).then((module) => hljs.registerLanguage(name, module.default)));
  }
  return loading.get(name);
}

// Colour a code element; unknown languages and very long texts stay plain.
export async function colour(element, wanted) {
  const lower = wanted.toLowerCase();
  const name = ALIASES[lower] ?? lower;
  if (!LANGUAGES.has(name) || element.textContent.length > LONGEST) return;
  if (!hljs.getLanguage(name)) await load(name);
  // highlight.js escapes what it is given and adds only spans with classes.
  element.innerHTML = hljs.highlight(element.textContent, { language: name, ignoreIllegals: true }).value;
}
