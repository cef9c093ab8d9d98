// Making elements, saying words, and figures in the person's language.

const catalogue = JSON.parse(document.getElementById("words").textContent);
const language = document.documentElement.lang;
const sprite = new URL("../icons.svg", import.meta.url).pathname;

// Words behind a key, with {name} replaced. A key that is not there shows itself; a test finds it before a person does.
export function t(key, values = {}) {
  const text = catalogue[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export function knows(key) {
  return key in catalogue;
}

// el("button", {class: "x", onclick: f, dataset: {...}}, child, "text"): attributes by name, handlers by on…
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "dataset") Object.assign(made.dataset, value);
    else if (key === "value") made.value = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  drawing.setAttribute("class", name === "logo" ? "logo" : "icon");
  drawing.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `${sprite}#${name}`);
  drawing.append(use);
  return drawing;
}

// A small button that shows an icon and says its label.
export function iconButton(name, label, onclick, extra = {}) {
  return el("button", { type: "button", class: "button quiet small only", "aria-label": label, title: label, onclick, ...extra }, icon(name));
}

let announced;

// Tell a screen reader, once and politely.
export function announce(text) {
  const place = document.getElementById("announce");
  clearTimeout(announced);
  place.textContent = "";
  announced = setTimeout(() => { place.textContent = text; }, 60);
}

export function number(value, places = 0) {
  return new Intl.NumberFormat(language, { minimumFractionDigits: places, maximumFractionDigits: places }).format(value);
}

export function seconds(milliseconds) {
  return milliseconds < 1000 ? `${number(Math.round(milliseconds))} ms` : `${number(milliseconds / 1000, 1)} s`;
}

// Money from nanos; a missing price is unknown, never zero.
export function money(nanos, currency) {
  if (nanos === null || nanos === undefined) return t("unit.price_unknown");
  const amount = Number(nanos) / 1e9;
  return `${number(amount, Math.abs(amount) >= 1 || amount === 0 ? 2 : 6)} ${currency ?? ""}`.trim();
}

export function moment(milliseconds) {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(milliseconds));
}

// With seconds, for logs; the year only when it is another one.
export function exactMoment(milliseconds) {
  const then = new Date(milliseconds);
  const year = then.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  const wanted = { year, month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" };
  return new Intl.DateTimeFormat(language, wanted).format(then);
}

// "Today 14:05", "Yesterday", or the date: for lists.
export function shortMoment(milliseconds) {
  const then = new Date(milliseconds);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(then).setHours(0, 0, 0, 0)) / 864e5);
  if (days === 0) return new Intl.DateTimeFormat(language, { timeStyle: "short" }).format(then);
  if (days < 7) return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(-days, "day");
  return new Intl.DateTimeFormat(language, { dateStyle: "medium" }).format(then);
}

export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Plain http on another machine has no clipboard API.
    const field = el("textarea", { class: "unseen" });
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  announce(t("live.copied"));
}

// Offer text as a file to keep.
export function save(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
