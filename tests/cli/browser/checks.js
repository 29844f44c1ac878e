// What must hold in a page of any size, in light and dark. The value is a list of complaints.
(() => {
  const complaints = [];
  const check = (holds, ...words) => {
    if (!holds) complaints.push(words.join(" "));
  };
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const text = (element) => (element?.textContent ?? "").trim();
  const box = (element) => element.getBoundingClientRect();
  const inside = (inner, outer, slack) =>
    inner.left >= outer.left - slack && inner.right <= outer.right + slack &&
    inner.top >= outer.top - slack && inner.bottom <= outer.bottom + slack;
  const overlap = (a, b) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  const visible = (element) => {
    const { width, height } = box(element);
    return width > 0 && height > 0 && element.checkVisibility({ visibilityProperty: true });
  };

  // Nothing is wider than the window, but for what scrolls in a box of its own.
  // A phone's browser would make the window wider and the words smaller, so what counts is the screen.
  const { width: wide } = screen;
  const { scrollWidth } = document.documentElement;
  check(scrollWidth <= wide, "the page is", scrollWidth, "wide, the screen", wide);
  for (const element of all("h1, h2, h3, h4, p, li, dt, dd, figcaption, summary, button, nav a")) {
    const scrolls = element.closest(".scroll") || element.matches(".skip");
    if (scrolls || !visible(element)) continue;
    check(box(element).left >= -1 && box(element).right <= wide + 1, "beyond the screen:", text(element));
    check(element.scrollWidth <= element.clientWidth + 1 || getComputedStyle(element).display === "inline", "cut:", text(element));
  }

  // Charts of lines.
  const plots = all(".plot");
  for (const plot of plots) {
    const figure = plot.closest("figure");
    const title = text(figure.querySelector("h3"));
    const svg = plot.querySelector("svg.canvas");
    check(title, "a chart has no heading");
    check(svg.getAttribute("role") === "img", title, "is no image");
    for (const name of ["title", "desc"]) check(text(svg.querySelector(name)), title, "has no", name);
    for (const label of [".y-label", ".x-label"]) {
      const element = figure.querySelector(label);
      check(text(element) && visible(element), title, "has no", label);
    }
    const [left, bottom] = [all(".grid text.y", svg), all(".grid text:not(.y)", svg)];
    check(left.length >= 2, title, "has", left.length, "labels on the left");
    check(bottom.length >= 1, title, "has", bottom.length, "labels below");

    const lines = all("path.line", svg);
    const dots = all("circle.dot", svg);
    check(lines.length + dots.length > 0, title, "shows no data");
    const [, , width, height] = svg.querySelector(".lines").getAttribute("viewBox").split(" ").map(Number);
    for (const line of lines) {
      const numbers = line.getAttribute("d").match(/[^ML ]+/g).map(Number);
      check(numbers.length >= 4 && numbers.every(Number.isFinite), title, "has a broken line");
      numbers.forEach((value, place) => {
        const end = place % 2 ? height : width;
        check(value >= -0.01 && value <= end + 0.01, title, "has a point at", value, "outside 0 to", end);
      });
      check(getComputedStyle(line).stroke !== "none", title, "has a line without colour");
    }
    for (const dot of dots) {
      const [x, y] = ["cx", "cy"].map((name) => parseFloat(dot.getAttribute(name)));
      check(x >= 0 && x <= 100 && y >= 0 && y <= height, title, "has a dot at", x, y);
    }
    const legend = all(".legend li", figure).filter(visible);
    const data = JSON.parse(plot.dataset.chart);
    const named = data.lines.length > 1 ? data.lines.filter((line) => line.points.length > 0).length : 0;
    check(legend.length === named, title, "has", legend.length, "names in its legend, expected", named);
    for (const entry of legend) check(text(entry) && entry.querySelector("path"), title, "has an empty name in its legend");
    check(all("details tbody tr", figure).length > 0, title, "has no numbers");
    texts(svg, box(plot), title);
  }

  // Words in a drawing are inside it and apart from each other.
  function texts(svg, frame, title) {
    const words = all("text", svg).filter(visible);
    words.forEach((word, place) => {
      check(inside(box(word), frame, 1), title, "cuts", text(word));
      for (const other of words.slice(place + 1)) {
        check(!overlap(box(word), box(other)), title, "has", text(word), "over", text(other));
      }
    });
  }

  // Scores as dots.
  for (const figure of all(".strips")) {
    check(figure.querySelector("[role=img]").getAttribute("aria-label"), "scores have no description");
    for (const svg of all("svg.canvas", figure)) texts(svg, box(figure), "scores");
    check(all("circle.dot", figure).length > 0, "scores show no data");
    for (const dot of all("circle.dot", figure)) check(inside(box(dot), box(figure), 0), "a score is outside its drawing");
  }

  // Parallel coordinates: a name for each axis, and every line through all axes.
  const within = (numbers, ends) => numbers.every((value, place) => value >= -0.01 && value <= ends[place % 2] + 0.01);
  const described = (svg, name) => {
    check(svg.getAttribute("role") === "img", name, "is no image");
    for (const part of ["title", "desc"]) check(text(svg.querySelector(part)), name, "has no", part);
  };
  for (const axes of all(".parallel .axes")) {
    const name = "parallel coordinates";
    const svg = axes.querySelector("svg.canvas");
    described(svg, name);
    const uprights = all(".uprights line", svg).length;
    const names = all(".names span", axes);
    check(uprights > 1 && uprights === names.length, name, "have", uprights, "axes and", names.length, "names");
    for (const one of names) check(text(one) && one.scrollWidth <= one.clientWidth + 1, name, "cut a name:", text(one));
    const ends = svg.querySelector(".lines").getAttribute("viewBox").split(" ").slice(2).map(Number);
    const lines = all("path.trial", svg);
    check(lines.length > 0, name, "show no data");
    for (const line of lines) {
      const numbers = line.getAttribute("d").match(/[^ML ]+/g).map(Number);
      check(numbers.length === 2 * uprights && within(numbers, ends), name, "have a broken line", line.getAttribute("d"));
      check(getComputedStyle(line).stroke !== "none", name, "have a line without colour");
    }
    texts(svg, box(axes), name);
  }

  // Slices: dots within the axes, labels on both.
  for (const figure of all(".slice")) {
    const name = text(figure.querySelector("h3"));
    const svg = figure.querySelector("svg.canvas");
    check(name && text(figure.querySelector(".y-label")), "a slice has no name");
    described(svg, name);
    const dots = all("circle.point", svg);
    check(dots.length > 0, name, "shows no data");
    const ends = [100, Number(svg.getAttribute("height"))];
    for (const dot of dots) {
      const numbers = ["cx", "cy"].map((side) => parseFloat(dot.getAttribute(side)));
      check(within(numbers, ends), name, "has a dot at", ...numbers);
    }
    const choices = all(".choices span", figure);
    check(all(".grid text.y", svg).length >= 2, name, "has too few labels on the left");
    check(all(".grid text:not(.y)", svg).length + choices.length > 0, name, "has no labels below");
    choices.forEach((one, place) => {
      check(inside(box(one), box(figure), 0), name, "cuts", text(one));
      for (const other of choices.slice(place + 1)) check(!overlap(box(one), box(other)), name, "has", text(one), "over", text(other));
    });
    texts(svg, box(figure), name);
  }

  // Strips of gradients and histograms of gates.
  for (const svg of all(".strip svg, .histogram svg")) {
    const label = svg.getAttribute("aria-label") ?? svg.closest("[role=img]")?.getAttribute("aria-label");
    check(label, "a picture has no description");
    const name = text(svg.parentElement.querySelector("h4, span"));
    check(name, "a picture has no name");
    const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    const rects = all("rect", svg);
    check(rects.length > 0, name, "shows no data");
    for (const rect of rects) {
      const [x, y, w, h] = ["x", "y", "width", "height"].map((side) => Number(rect.getAttribute(side)));
      const fits = x >= 0 && y >= 0 && x + w <= width + 1e-6 && y + h <= height + 1e-3;
      check(fits, name, "has a bar at", x, y, w, h);
    }
  }
  for (const square of all(".units span")) check(Number(square.style.getPropertyValue("--shade")) >= 0, "a unit has no shade");

  // Tables have straight rows and columns.
  for (const row of all("tr")) {
    const cells = [...row.cells].filter(visible);
    for (const cell of cells) check(Math.abs(box(cell).top - box(cells[0]).top) < 1, "a crooked row:", text(row).slice(0, 40));
    check(all("th, td", row).length === all("tr", row.closest("table"))[0].cells.length, "a row of another length:", text(row));
  }

  // Every table has headers, every region and button a name, every section a heading.
  for (const table of all("table")) check(all("th[scope=col]", table).length > 1, "a table has no headers");
  for (const region of all("[role=region], [role=group], [role=img], nav")) {
    const by = region.getAttribute("aria-labelledby");
    check(region.getAttribute("aria-label") || (by && text(document.getElementById(by))), "a", region.className, "has no name");
  }
  for (const link of all("a[href^='#']")) check(document.getElementById(link.hash.slice(1)), "a link leads nowhere:", link.hash);

  // Words stand out from what is behind them.
  const parse = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\d.]+(e-?\d+)?/g).map(Number);
    const scale = colour.startsWith("color(srgb") ? 255 : 1;
    return [r * scale, g * scale, b * scale, a];
  };
  const over = ([r, g, b, a], behind) => [r, g, b].map((value, place) => value * a + behind[place] * (1 - a));
  function background(element) {
    const layers = [];
    for (let here = element; here; here = here.parentElement) {
      const colour = parse(getComputedStyle(here).backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reduceRight((behind, colour) => over(colour, behind), [255, 255, 255]);
  }
  const luminance = (colour) => {
    const [r, g, b] = colour.map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
  };
  const opacity = (element) => {
    let product = 1;
    for (let here = element; here; here = here.parentElement) product *= Number(getComputedStyle(here).opacity);
    return product;
  };
  for (const element of all("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!own || !visible(element) || element.closest("script, style, title, desc")) continue;
    const style = getComputedStyle(element);
    const behind = background(element);
    const [r, g, b, a] = parse(element.namespaceURI.endsWith("svg") ? style.fill : style.color);
    const found = contrast(over([r, g, b, a * opacity(element)], behind), behind);
    check(found >= 4.5, "contrast", found.toFixed(2), "of", text(element).slice(0, 40), "in", element.className.baseVal ?? element.className);
    check(parseFloat(style.fontSize) >= 11, "small:", style.fontSize, text(element).slice(0, 40));
  }
  for (const line of all("path.line:not(.thin), circle.dot")) {
    const found = contrast(parse(getComputedStyle(line).stroke).slice(0, 3), background(line));
    check(found >= 3, "contrast", found.toFixed(2), "of a line");
  }
  return { complaints: [...new Set(complaints)], charts: plots.length };
})()
