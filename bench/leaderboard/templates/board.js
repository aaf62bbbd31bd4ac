// Sorts, filters, searches and hides columns of the tables that are in the page already; the state is in the address.
// Text from records is only ever read and written as text.
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const tables = all("table[data-sortable]").map((table) => {
    const heads = all("thead th", table).filter((th) => !th.classList.contains("group"));
    const spanning = heads.filter((th) => th.rowSpan > 1);
    const leaves = spanning.length ? [...spanning, ...heads.filter((th) => th.rowSpan === 1)] : heads;
    const last = leaves.findIndex((th) => th.classList.contains("verdict"));
    if (last >= 0) leaves.push(...leaves.splice(last, 1));
    const rows = all("tbody tr", table);
    return { table, leaves, rows, board: table.closest(".board"), groups: all("th.group", table) };
  });
  const form = document.querySelector("form.controls");
  const state = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");

  const nameOf = (th) => th.dataset.name || th.dataset.label;
  const onDemand = (th) => th.dataset.spent !== undefined;
  const valueOf = (row, place) => {
    const cell = row.cells[place];
    if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
    const text = cell.textContent.trim();
    if (text === "–") return null;
    const number = Number(text.replaceAll(",", ""));
    return text !== "" && Number.isFinite(number) ? number : text.toLowerCase();
  };
  const compare = (a, b) => {
    if (a === null || b === null) return (a === null) - (b === null); // what is unknown stays last
    if (typeof a === typeof b) return a < b ? -1 : a > b ? 1 : 0;
    return typeof a === "number" ? -1 : 1;
  };

  function sort() {
    const [name, way] = [(state.get("sort") || "").slice(0, -1), (state.get("sort") || "").slice(-1)];
    for (const { table, leaves, rows } of tables) {
      const place = leaves.findIndex((th) => name && nameOf(th) === name);
      leaves.forEach((th, i) => {
        if (i === place) th.setAttribute("aria-sort", way === "-" ? "descending" : "ascending");
        else th.removeAttribute("aria-sort");
      });
      table.classList.toggle("sorted", place >= 0);
      const keyed = rows.map((row, i) => [place < 0 ? i : valueOf(row, place), i, row]);
      const sign = way === "-" ? -1 : 1;
      keyed.sort(([a, i], [b, j]) => {
        const order = compare(a, b);
        return (a === null || b === null ? order : sign * order) || i - j;
      });
      table.tBodies[0].append(...keyed.map(([, , row]) => row));
    }
  }

  function filter() {
    const words = (state.get("q") || "").toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    let total = 0;
    for (const { rows, board } of tables) {
      const fits = ["kind", "features", "segments"].every(
        (key) => !state.get(key) || (board && board.dataset[key] === state.get(key)),
      );
      let here = 0;
      for (const row of rows) {
        const text = `${row.cells[0].textContent} ${row.dataset.more || ""}`.toLowerCase();
        const status = !state.get("status") || row.dataset.status === state.get("status");
        row.hidden = !(fits && status && words.every((word) => text.includes(word)));
        here += !row.hidden;
      }
      total += rows.length;
      shown += here;
      if (board) board.hidden = here === 0;
      const drawn = board && board.nextElementSibling;
      if (drawn && drawn.classList.contains("pictures")) drawn.hidden = here === 0;
    }
    for (const section of all("section.kind, section.published, section.measured-on")) {
      section.hidden = !all(".board", section).some((board) => !board.hidden);
    }
    if (form) form.querySelector("[role=status]").textContent = `${shown} of ${total} rows`;
  }

  function columns() {
    const hidden = new Set(state.getAll("hide"));
    const shown = new Set(state.getAll("show")); // what rows took is hidden unless it is asked for
    for (const { leaves, rows, groups } of tables) {
      const gone = leaves.map((th) => (onDemand(th) ? !shown.has(nameOf(th)) : hidden.has(nameOf(th))));
      leaves.forEach((th, i) => {
        th.hidden = gone[i];
        for (const row of rows) row.cells[i].hidden = gone[i];
      });
      let place = leaves.length - groups.reduce((sum, th) => sum + Number(th.dataset.span), 0);
      if (leaves.at(-1)?.classList.contains("verdict")) place -= 1;
      for (const th of groups) {
        const span = Number(th.dataset.span);
        const left = gone.slice(place, place + span).filter((one) => !one).length;
        th.hidden = left === 0;
        th.colSpan = left || 1;
        place += span;
      }
    }
  }

  function show() {
    sort();
    filter();
    columns();
  }

  function change(key, values) {
    state.delete(key);
    for (const value of values) if (value) state.append(key, value);
    const text = state.toString();
    history.replaceState(null, "", text ? `#${text}` : location.pathname.split("/").pop() + location.search);
    show();
  }

  for (const { leaves, groups } of tables) {
    for (const th of groups) th.dataset.span = th.colSpan;
    for (const th of leaves) {
      th.dataset.label = th.firstChild.textContent.trim();
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...th.childNodes);
      th.append(button);
      button.addEventListener("click", () => {
        const first = th.dataset.down === "1" ? "-" : "+";
        const now = state.get("sort");
        const own = nameOf(th);
        const next = now === own + first ? own + (first === "-" ? "+" : "-") : now && now.slice(0, -1) === own ? "" : own + first;
        change("sort", [next]);
      });
    }
  }

  if (form) {
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    for (const select of all("select", form)) {
      const found = new Set();
      if (select.name === "status") all("tr[data-status]").forEach((row) => found.add(row.dataset.status));
      else all(`.board[data-${select.name}]`).forEach((board) => found.add(board.dataset[select.name]));
      for (const value of [...found].filter(Boolean).sort()) select.append(new Option(value, value));
      select.parentElement.hidden = select.options.length < 3;
      select.value = state.get(select.name) || "";
      select.addEventListener("change", () => change(select.name, [select.value]));
    }
    form.q.value = state.get("q") || "";
    form.q.addEventListener("input", () => change("q", [form.q.value.trim()]));
    const heads = new Map(tables.flatMap(({ leaves }) => leaves.slice(1).map((th) => [nameOf(th), onDemand(th)])));
    const boxes = [...heads].map(([name, extra]) => {
      const label = document.createElement("label");
      const box = document.createElement("input");
      box.type = "checkbox";
      box.value = name;
      box.name = extra ? "show" : "hide";
      box.defaultChecked = !extra;
      box.checked = state.getAll(box.name).includes(name) === extra;
      const listed = (one) => one.name === box.name && one.checked === extra;
      box.addEventListener("change", () => change(box.name, boxes.filter(listed).map((one) => one.value)));
      label.append(box, ` ${name}`);
      form.querySelector(".columns div").append(label);
      return box;
    });
    form.addEventListener("reset", () => {
      for (const key of [...state.keys()]) state.delete(key);
      setTimeout(() => {
        for (const box of boxes) box.checked = box.defaultChecked;
        change("q", []);
      });
    });
    window.addEventListener("hashchange", () => {
      if (location.hash.includes("=")) location.reload();
    });
  }
  for (const button of all("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const code = button.previousElementSibling;
      getSelection().selectAllChildren(code);
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Selected"; // the browser lets no page write to the clipboard: one key does it
      }
    });
  }
  show();
})();
