"use strict";
// Light or dark: as the screen asks for until the reader chooses.
{
  const root = document.documentElement;
  const wanted = matchMedia("(prefers-color-scheme: dark)");
  const button = document.createElement("button");
  const isDark = () => (root.dataset.theme ?? (wanted.matches ? "dark" : "light")) === "dark";
  const name = () => {
    button.textContent = isDark() ? "Light colours" : "Dark colours";
  };
  button.type = "button";
  button.className = "theme";
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    name();
  });
  wanted.addEventListener("change", name);
  name();
  document.querySelector(".links").append(button);
}

// Shows the values under the pointer, or those chosen by the arrow keys while a chart has the focus.
for (const plot of document.querySelectorAll(".plot[data-chart]")) {
  const chart = JSON.parse(plot.dataset.chart);
  const canvas = plot.querySelector(".canvas");
  const cursor = plot.querySelector(".cursor");
  const [rule, ...dots] = cursor.children;
  const swatches = plot.closest("figure").querySelectorAll(".swatch");
  const tip = document.createElement("output");
  const stops = [...new Set(chart.lines.flatMap((line) => line.points.map((point) => point[0])))].sort((a, b) => a - b);
  const values = chart.lines.map((line) => new Map(line.points));
  const curve = chart.log ? Math.log10 : (value) => value;
  const part = (value, [low, high]) => (value - low) / (high - low);
  const digits = (value) => String(Number(value.toPrecision(4))).replace("-", "−");
  let stop = -1;

  tip.className = "tip";
  tip.hidden = true;
  plot.append(tip);
  plot.tabIndex = 0;
  plot.setAttribute("role", "group");
  plot.setAttribute("aria-label", `${chart.title}: left and right arrow keys read the values`);

  function hide() {
    stop = -1;
    tip.hidden = true;
    cursor.setAttribute("visibility", "hidden");
  }

  function row(tag, text) {
    const element = document.createElement(tag);
    element.textContent = text;
    return element;
  }

  function show(next) {
    stop = Math.max(0, Math.min(stops.length - 1, next));
    const x = stops[stop];
    const across = part(x, chart.x);
    rule.setAttribute("x1", `${100 * across}%`);
    rule.setAttribute("x2", `${100 * across}%`);
    tip.replaceChildren(row("b", `${chart.label} ${x}`));
    chart.lines.forEach((line, place) => {
      const y = values[place].get(x);
      dots[place].setAttribute("visibility", y === undefined ? "hidden" : "inherit");
      if (y === undefined) return;
      dots[place].setAttribute("cx", `${100 * across}%`);
      dots[place].setAttribute("cy", chart.height * (1 - part(curve(y), chart.y.map(curve))));
      const entry = row("span", `${line.name} ${digits(y)}`);
      if (swatches.length) entry.prepend(swatches[place].cloneNode(true));
      tip.append(entry);
    });
    cursor.setAttribute("visibility", "visible");
    tip.hidden = false;
    const area = canvas.getBoundingClientRect();
    const left = area.left - plot.getBoundingClientRect().left + across * area.width;
    const right = left + 12 + tip.offsetWidth > plot.clientWidth;
    tip.style.left = `${Math.max(0, right ? left - 12 - tip.offsetWidth : left + 12)}px`;
  }

  function nearest(event) {
    const area = canvas.getBoundingClientRect();
    const at = (event.clientX - area.left) / area.width;
    const x = chart.x[0] + at * (chart.x[1] - chart.x[0]);
    let best = 0;
    stops.forEach((value, place) => {
      if (Math.abs(value - x) < Math.abs(stops[best] - x)) best = place;
    });
    return best;
  }

  for (const kind of ["pointermove", "pointerdown"]) {
    plot.addEventListener(kind, (event) => {
      tip.setAttribute("aria-live", "off");
      show(nearest(event));
    });
  }
  plot.addEventListener("pointerleave", hide);
  plot.addEventListener("blur", hide);
  plot.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.round(stops.length / 10));
    const here = stop < 0 ? { ArrowLeft: stops.length, PageUp: stops.length }[event.key] ?? -1 : stop;
    const next = {
      ArrowLeft: here - 1,
      ArrowRight: here + 1,
      PageUp: here - page,
      PageDown: here + page,
      Home: 0,
      End: stops.length - 1,
    }[event.key];
    if (event.key === "Escape") return hide();
    if (next === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    tip.setAttribute("aria-live", "polite");
    show(next);
  });
}
