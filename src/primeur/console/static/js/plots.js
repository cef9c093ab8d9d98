// Plots of the usage page: uPlot, in the page's own colours, drawn again when the theme or the data change.

import uPlot from "../vendor/uPlot.esm.js";
import { number, t } from "./dom.js";

const LINES = {
  requests: (series) => [line("live.requests", series.requests, "--leaf"), line("live.failed", series.failed, "--bad")],
  tokens: (series) => [line("live.input", series.input, "--line-strong"), line("live.output", series.output, "--leaf")],
  cost: (series) => [line("live.cost", series.cost, "--fruit", 4)],
};
const drawn = [];

function line(key, values, colour, places = 0) {
  return { label: t(key), values, colour, places };
}

function colourOf(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function draw() {
  for (const plot of drawn.splice(0)) plot.destroy();
  const data = document.querySelector("#usage [data-series]");
  if (!data) return;
  const series = JSON.parse(data.textContent);
  for (const figure of document.querySelectorAll("[data-plot]")) drawn.push(drawOne(figure, series));
}

function drawOne(figure, series) {
  const lines = LINES[figure.dataset.plot](series);
  const place = figure.querySelector(".canvas");
  const soft = colourOf("--soft");
  const grid = { stroke: colourOf("--line"), width: 1 };
  const bars = uPlot.paths.bars({ size: [0.65, 40], radius: 0.15 });
  return new uPlot({
    width: place.clientWidth, height: 190, cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    axes: [{ stroke: soft, grid: { show: false }, ticks: grid, values: (_plot, moments) => moments.map(day) }, { stroke: soft, grid, ticks: { show: false }, size: 62, values: (_plot, all) => all.map((one) => short(one)) }],
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(high * 1.1, lines[0].places ? 0.0001 : 1)] } },
    series: [{ label: t("live.day"), value: (_plot, at) => (at === null ? "—" : day(at)) }, ...lines.map((one, place) => ({
      label: one.label, stroke: colourOf(one.colour), fill: place === 0 ? colourOf(one.colour) : undefined, width: 2, paths: place === 0 ? bars : undefined,
      points: { show: place > 0, size: 4 }, value: (_plot, value) => (value === null ? "—" : number(value, one.places)),
    }))],
  }, [series.at, ...lines.map((one) => one.values)], place);
}

function day(seconds) {
  return new Intl.DateTimeFormat(document.documentElement.lang, { day: "numeric", month: "short", timeZone: "UTC" }).format(seconds * 1000);
}

function short(value) {
  return new Intl.NumberFormat(document.documentElement.lang, { notation: "compact", maximumSignificantDigits: 3 }).format(value);
}

let resizing;
addEventListener("resize", () => { clearTimeout(resizing); resizing = setTimeout(draw, 150); });
document.addEventListener("primeur:theme", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
new MutationObserver(draw).observe(document.getElementById("usage"), { childList: true });
draw();
