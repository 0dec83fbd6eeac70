"use strict";
// The page is complete without this. It adds a filter, and a line that shows one
// moment in all pictures of a group, with the numbers of the table behind it.
(() => {
  const all = (where, what) => [...where.querySelectorAll(what)];

  const tools = document.querySelector(".tools");
  const select = tools.querySelector("select"), box = tools.querySelector("input");
  const show = () => {
    const group = select.value, failed = box.checked;
    for (const e of all(document, "[data-group]"))
      e.hidden = group !== "" && e.dataset.group !== group || failed && e.dataset.verdict !== undefined && e.dataset.verdict !== "fail";
    for (const e of all(document, ".checks [data-verdict]"))
      e.hidden = failed && e.dataset.verdict !== "fail";
  };
  tools.hidden = false;
  tools.addEventListener("change", show);

  // What a table twin says of a moment: its last row that begins at or before it.
  const reading = (figure, at) => {
    const head = all(figure, "thead th").map(e => e.textContent);
    let row;
    for (const r of all(figure, "tbody tr")) {
      if (parseFloat(r.cells[0].textContent) > at) break;
      row = r;
    }
    if (!row) return "";
    return [...row.cells].map((c, i) => c.textContent && head[i] + " " + c.textContent).filter(Boolean).join(" · ");
  };

  const charts = all(document, "svg[data-area]").map(svg => {
    const [left, right, top, bottom] = svg.dataset.area.split(" ").map(Number);
    const hair = document.createElementNS("http://www.w3.org/2000/svg", "line");
    hair.setAttribute("class", "hair");
    hair.setAttribute("y1", top);
    hair.setAttribute("y2", bottom);
    return {svg, hair, left, right, from: +svg.dataset.from, to: +svg.dataset.to, figure: svg.closest("figure"), home: svg.closest("section, header")};
  });

  const point = (home, at) => {
    for (const c of charts) {
      if (c.home !== home) continue;
      if (at === null || at < c.from || at > c.to) {
        c.hair.remove();
        continue;
      }
      const x = c.left + (at - c.from) / (c.to - c.from) * (c.right - c.left);
      c.hair.setAttribute("x1", x);
      c.hair.setAttribute("x2", x);
      c.svg.append(c.hair);
      c.figure.querySelector(".reading").textContent = reading(c.figure, at);
    }
  };

  for (const c of charts) {
    if (!c.figure.querySelector(".reading")) {
      const p = document.createElement("p");
      p.className = "reading";
      p.setAttribute("aria-hidden", "true"); // the table says it
      c.svg.closest(".scroll").after(p);
    }
    c.svg.addEventListener("pointermove", e => {
      const box = c.svg.getBoundingClientRect();
      const x = (e.clientX - box.left) / box.width * c.svg.viewBox.baseVal.width;
      const at = c.from + (x - c.left) / (c.right - c.left) * (c.to - c.from);
      point(c.home, at < c.from || at > c.to ? null : at);
    });
    c.svg.addEventListener("pointerleave", () => {
      point(c.home, null);
      for (const o of charts) if (o.home === c.home) o.figure.querySelector(".reading").textContent = "";
    });
  }
})();
