// Plots of the console's pages: uPlot, in the page's own colours, drawn again when the theme or the data change.

import uPlot from "../vendor/uPlot.esm.js";
import { el, money, number, seconds, t } from "./dom.js";

const DAY_MS = 86_400_000;
const HEIGHT_PX = 190;
const WAITS = [["first_us_p50", "live.first_p50"], ["first_us_p95", "live.first_p95"], ["duration_us_p50", "live.whole_p50"]];
const drawn = [];

// Each plot: lines of {label, values}, whether they are stacked, how a value is written.
const PLOTS = {
  requests: (series) => ({ lines: groups(series, "requests"), stacked: true, write: (value) => number(value) }),
  shares: (series) => ({ lines: parts(groups(series, "requests")), stacked: true, write: percent, tick: percent }),
  simulated: (series, figure) => ({ lines: series.plots[figure.dataset.name], stacked: figure.dataset.name === "work", write: (value) => number(value), tick: compact }),
  tokens: (series) => ({ lines: groups(series, "tokens"), stacked: true, write: (value) => number(value) }),
  cost: (series) => {
    const priced = series.data.filter((group) => group.currency);
    return { lines: priced.map((group) => ({ label: group.label, values: group.cost_nanos })), stacked: true, write: (value) => money(value, priced[0]?.currency), scale: 1e9 };
  },
  money: (series, figure) => {
    const { currency } = figure.dataset;
    return { lines: series.money[currency].map((line) => ({ label: line.label, values: line.nanos })), stacked: false, write: (value) => money(value, currency), scale: 1e9, tick: compact };
  },
  chat: (series) => ({ lines: series.chat.map((line) => ({ label: line.label, values: line.nanos })), stacked: false, write: (value) => number(value / 1e9, 6), scale: 1e9, tick: compact }),
  failed: (series) => ({ lines: groups(series, "failed"), stacked: true, write: (value) => number(value) }),
  speed: (series) => ({ lines: groups(series, "tokens").map((line) => ({ label: line.label, values: line.values.map((value) => (1000 * value) / series.step_ms) })), stacked: false, write: (value) => number(value), tick: compact }),
  waits: (series) => ({ lines: WAITS.map(([name, key]) => ({ label: t(key), values: series.waits[name].map((value) => value && value / 1000) })), stacked: false, write: seconds, tick: seconds }),
};

function groups(series, name) {
  return series.data.map((group) => ({ label: group.label || "—", values: group[name] }));
}

// Each line's part of what all of them are at that moment, from 0 to 1; where nothing is, no part is known.
function parts(lines) {
  const whole = lines.length ? lines[0].values.map((_value, at) => lines.reduce((sum, line) => sum + line.values[at], 0)) : [];
  return lines.map((line) => ({ label: line.label, values: line.values.map((value, at) => (whole[at] ? value / whole[at] : null)) }));
}

function percent(part) {
  return new Intl.NumberFormat(document.documentElement.lang, { style: "percent", maximumFractionDigits: 1 }).format(part);
}

function colourOf(name) {
  const probe = el("span", { class: "unseen" });
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function draw() {
  for (const plot of drawn.splice(0)) plot.destroy();
  const data = document.querySelector("[data-plots] [data-series]");
  if (!data) return;
  const series = JSON.parse(data.textContent);
  for (const figure of document.querySelectorAll("[data-plot]")) drawOne(figure, series);
}

function drawOne(figure, series) {
  const { lines, stacked, write, scale = 1, tick = compact } = PLOTS[figure.dataset.plot](series, figure);
  figure.hidden = lines.length === 0;
  if (figure.hidden) return;
  const place = figure.querySelector(".canvas");
  const soft = colourOf("--soft");
  const grid = { stroke: colourOf("--line"), width: 1 };
  const heights = stacked ? stack(lines) : lines.map((line) => line.values);
  const order = lines.map((_line, index) => index);
  // The tallest bar is drawn first, the others in front of it.
  if (stacked) order.reverse();
  drawn.push(new uPlot({
    width: place.clientWidth, height: HEIGHT_PX, cursor: { points: { show: false }, drag: { x: false, y: false } },
    axes: [
      { stroke: soft, grid: { show: false }, ticks: grid, space: 70, values: (_plot, moments) => moments.map((moment) => (series.elapsed ? elapsed(moment, series) : short(moment, series.step_ms))) },
      { stroke: soft, grid, ticks: { show: false }, size: 64, values: (_plot, all) => all.map((value) => tick(value / scale)) },
    ],
    scales: { x: { time: !series.elapsed, range: (_plot, low, high) => [low - series.step_ms / 2000, high + series.step_ms / 2000] }, y: { range: (_plot, low, high) => [Math.min(0, (low || 0) * 1.08), (Math.max(0, high) || 1) * 1.08] } },
    series: [{ label: t("live.moment"), value: (_plot, at) => (at === null ? "—" : series.elapsed ? elapsed(at, series) : full(at, series.step_ms)) }, ...order.map((index) => shape(lines[index], index, stacked, write))],
  }, [series.at_ms.map((at) => at / 1000), ...order.map((index) => heights[index])], place));
}

function shape(line, index, stacked, write) {
  const colour = colourOf(`--plot-${index + 1}`);
  return {
    label: line.label, stroke: colour, width: stacked ? 0 : 2, fill: stacked ? colour : undefined,
    paths: stacked ? uPlot.paths.bars({ size: [0.8, 28] }) : undefined, points: { show: !stacked, size: 5, fill: colour },
    value: (_plot, _height, _series, at) => (at === null || at === undefined || line.values[at] === null ? "—" : write(line.values[at])),
  };
}

// Each line's height on top of those before it; what is unknown adds nothing.
function stack(lines) {
  const sum = new Array(lines[0].values.length).fill(0);
  return lines.map((line) => line.values.map((value, at) => (sum[at] += value ?? 0)));
}

function compact(value) {
  return new Intl.NumberFormat(document.documentElement.lang, { notation: "compact", maximumSignificantDigits: 3 }).format(value);
}

function short(at, stepMs) {
  const wanted = stepMs < DAY_MS ? { hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "short", timeZone: "UTC" };
  if (stepMs < DAY_MS && stepMs >= DAY_MS / 8) Object.assign(wanted, { day: "numeric", month: "short", minute: undefined });
  return new Intl.DateTimeFormat(document.documentElement.lang, wanted).format(at * 1000);
}

function full(at, stepMs) {
  const wanted = stepMs < DAY_MS ? { dateStyle: "medium", timeStyle: "short" } : { dateStyle: "medium", timeZone: "UTC" };
  return new Intl.DateTimeFormat(document.documentElement.lang, wanted).format(at * 1000);
}

// Seconds since a trace began: in days where it is long, else as hours and minutes.
function elapsed(at, series) {
  if (series.at_ms.at(-1) >= 2 * DAY_MS) return t("live.days", { days: number((1000 * at) / DAY_MS, 1) });
  const minutes = Math.round(at / 60);
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
}

let resizing;
addEventListener("resize", () => { clearTimeout(resizing); resizing = setTimeout(draw, 150); });
document.addEventListener("primeur:theme", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
new MutationObserver(draw).observe(document.querySelector("[data-plots]"), { childList: true });
draw();
