"use strict";
// Picks a trial in all drawings: by the pointer or the arrow keys in the parallel coordinates, or by a row of the table.
{
  const rows = new Map([...document.querySelectorAll("tr[data-trial]")].map((row) => [row.dataset.trial, row]));
  const box = document.querySelector(".parallel");
  const canvas = box?.querySelector(".canvas");
  const lines = new Map();
  for (const path of box?.querySelectorAll("path.trial") ?? []) {
    const numbers = path.getAttribute("d").match(/[^ML ]+/g).map(Number);
    lines.set(path.dataset.trial, numbers.filter((_, place) => place % 2));
  }
  // In the order of the table, the best first.
  const order = [...rows.keys()].filter((trial) => lines.has(trial));
  const reading = document.createElement("output");
  const invitation = "Point at a line, or use the up and down arrow keys, to read a trial.";
  let picked;
  let kept;

  function words(trial) {
    const row = rows.get(trial);
    const heads = row.closest("table").tHead.rows[0].cells;
    const parts = [...row.cells].map((cell, place) => [heads[place].textContent, cell.textContent]);
    return parts.filter(([, text]) => text && text !== "–").map((part) => part.join(" ")).join(" · ");
  }

  // The line once more, above all others.
  function raise(svg, path) {
    let over = svg.querySelector(".over");
    if (!over) {
      if (!path) return;
      over = path.cloneNode();
      for (const name of ["id", "style", "data-trial"]) over.removeAttribute(name);
      over.setAttribute("class", "over");
      svg.append(over);
    }
    over.setAttribute("d", path?.getAttribute("d") ?? "");
  }

  function pick(trial, live = "off") {
    if (trial === picked) return;
    for (const element of document.querySelectorAll(".picked")) element.classList.remove("picked");
    picked = trial;
    const all = trial === undefined ? [] : [...document.querySelectorAll(`[data-trial="${trial}"]`)];
    for (const element of all) element.classList.add("picked");
    for (const svg of document.querySelectorAll(".axes .lines, .paths .lines")) {
      raise(svg, all.find((element) => element.localName === "path" && element.parentElement === svg));
    }
    box?.classList.toggle("picking", lines.has(trial));
    reading.setAttribute("aria-live", live);
    reading.textContent = trial === undefined ? invitation : words(trial);
  }

  function keep(trial) {
    kept = trial;
    pick(trial);
  }

  // The trial whose line is nearest below or above the pointer.
  function nearest(event) {
    const area = canvas.getBoundingClientRect();
    const gaps = lines.get(order[0]).length - 1;
    const at = Math.max(0, Math.min(1, (event.clientX - area.left) / area.width)) * gaps;
    const left = Math.min(gaps - 1, Math.floor(at));
    const y = event.clientY - area.top;
    const distance = (trial) => {
      const heights = lines.get(trial);
      return Math.abs(heights[left] + (at - left) * (heights[left + 1] - heights[left]) - y);
    };
    let [best, least] = [undefined, 24];
    for (const trial of order) {
      if (distance(trial) < least) [best, least] = [trial, distance(trial)];
    }
    return best;
  }

  if (order.length) {
    reading.className = "reading";
    reading.textContent = invitation;
    box.closest(".card").append(reading);
    box.setAttribute("aria-label", `${box.getAttribute("aria-label")}: up and down arrow keys read them, the best first`);
    box.addEventListener("pointermove", (event) => pick(nearest(event) ?? kept));
    box.addEventListener("pointerleave", () => pick(kept));
    box.addEventListener("click", (event) => {
      const trial = nearest(event);
      keep(trial === kept ? undefined : trial);
    });
    box.addEventListener("keydown", (event) => {
      const here = order.indexOf(picked);
      const last = order.length - 1;
      const next = {
        ArrowDown: here + 1,
        ArrowUp: here < 0 ? last : here - 1,
        PageDown: here + 10,
        PageUp: here < 0 ? last : here - 10,
        Home: 0,
        End: last,
      }[event.key];
      if (event.key === "Escape") return keep(undefined);
      if (next === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      kept = order[Math.max(0, Math.min(last, next))];
      pick(kept, "polite");
    });
  }
  for (const [trial, row] of rows) {
    row.addEventListener("pointerenter", () => pick(trial));
    row.addEventListener("pointerleave", () => pick(kept));
    row.addEventListener("focusin", () => pick(trial));
    row.addEventListener("focusout", () => pick(kept));
  }
  const follow = () => {
    const trial = location.hash.match(/^#trial-(\d+)$/)?.[1];
    if (rows.has(trial)) keep(trial);
  };
  addEventListener("hashchange", follow);
  follow();
}
