"use strict";
(() => {
  const table = document.querySelector("table.all");
  if (!table) return;
  const bodies = [...table.tBodies];
  const status = document.querySelector(".tools [role=status]");
  const search = document.querySelector(".tools input");

  // A unit is a row with those that stand under it: they stay together.
  const units = new Map(bodies.map((body) => {
    const found = [];
    for (const row of body.querySelectorAll("tr:not(.scope)")) {
      if (row.className === "s" && found.length) found[found.length - 1].push(row);
      else found.push([row]);
    }
    return [body, found];
  }));
  const first = [...bodies]; // in the order that the page came with
  const original = new Map([...units].map(([body, found]) => [body, [...found]]));
  const text = new Map(bodies.flatMap((body) =>
    [...body.querySelectorAll("tr:not(.scope)")].map((row) => [row, row.textContent.toLowerCase()])));

  const fold = (body, isFolded) => {
    body.classList.toggle("folded", isFolded);
    body.querySelector(".scope button").setAttribute("aria-expanded", String(!isFolded));
  };
  const button = (head) => {
    const made = document.createElement("button");
    made.type = "button";
    made.append(...head.childNodes);
    head.append(made);
    return made;
  };
  const rows = bodies.reduce((sum, body) => sum + body.rows.length - 1, 0);
  const isLong = rows > 80 && bodies.length > 1;
  for (const body of bodies) {
    const head = body.querySelector(".scope th");
    const made = button(head);
    made.addEventListener("click", () => fold(body, !body.classList.contains("folded")));
    fold(body, isLong && !head.querySelector("em"));
  }

  const value = (row, column, isNumeric) => {
    const cell = row.cells[column];
    if (!isNumeric) return cell.textContent;
    const said = cell.dataset.v ?? cell.textContent.replace(/ B$/, "");
    return said === "" ? -Infinity : said === "inf" ? Infinity : Number(said);
  };
  const order = (a, b) => typeof a === "string"
    ? a.localeCompare(b, "en", { numeric: true })
    : a < b ? -1 : a > b ? 1 : 0;
  const sort = (column, isNumeric, sign) => {
    if (column === null) {
      for (const body of first) body.append(...original.get(body).flat());
      table.append(...first);
      for (const body of first) units.set(body, [...original.get(body)]);
      return;
    }
    const keys = new Map();
    for (const body of bodies) {
      const found = original.get(body).map((unit) => [value(unit[0], column, isNumeric), unit]);
      found.sort((a, b) => sign * order(a[0], b[0]));
      keys.set(body, found[0][0]);
      units.set(body, found.map((pair) => pair[1]));
    }
    const sorted = [...first].sort((a, b) => sign * order(keys.get(a), keys.get(b)));
    for (const body of sorted) body.append(...units.get(body).flat());
    table.append(...sorted);
  };
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const isNumeric = head.classList.contains("n");
    button(head).addEventListener("click", () => {
      // Numbers begin with the largest; a third press restores the order there was.
      const ways = isNumeric ? ["descending", "ascending"] : ["ascending", "descending"];
      const way = ways[ways.indexOf(head.getAttribute("aria-sort")) + 1];
      for (const other of heads) other.removeAttribute("aria-sort");
      if (way) head.setAttribute("aria-sort", way);
      sort(way ? column : null, isNumeric, way === "descending" ? -1 : 1);
      status.textContent = way ? `sorted by ${head.textContent}, ${way}` : "in the first order";
    });
  });

  for (const made of document.querySelectorAll("[data-fold]")) {
    made.addEventListener("click", () => {
      for (const body of bodies) fold(body, made.dataset.fold === "close");
    });
  }
  const filter = () => {
    const wanted = search.value.toLowerCase();
    let shown = 0;
    for (const body of bodies) {
      let here = 0;
      for (const unit of units.get(body)) {
        const isIn = unit.map((row) => text.get(row).includes(wanted));
        unit.forEach((row, i) => row.classList.toggle("out", !isIn[i] && !(i === 0 && isIn.includes(true))));
        here += isIn.filter(Boolean).length;
      }
      body.classList.toggle("out", !here);
      if (wanted && here) fold(body, false);
      shown += here;
    }
    status.textContent = wanted
      ? `${shown.toLocaleString("en")} of ${rows.toLocaleString("en")} rows` : "";
  };
  search.addEventListener("input", filter);
  document.querySelector(".tools").hidden = false;
})();
