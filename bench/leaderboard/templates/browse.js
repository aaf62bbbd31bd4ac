// Searches, filters and orders the queries that the page holds as data; the state is in the address.
// Text of queries is only ever written as text; addresses are made of numbers.
"use strict";
(() => {
  const STEP = 50;
  const data = JSON.parse(document.querySelector('script[type="application/json"]').textContent);
  const queries = data.rows.map(([name, text, words, ranks, classes], place) => ({
    name, text, words, ranks, classes, place, sought: `${name} ${text}`.toLowerCase(),
  }));
  const form = document.querySelector("form.controls");
  const list = document.querySelector(".results");
  const more = document.querySelector(".more");
  const fields = [...form.elements].filter((field) => field.name);
  const state = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
  const orders = {
    best: (run) => (a, b) => a.ranks[run] - b.ranks[run],
    apart: () => (a, b) => b.ranks[0] - b.ranks[1] - (a.ranks[0] - a.ranks[1]),
    ahead: () => (a, b) => a.ranks[0] - a.ranks[1] - (b.ranks[0] - b.ranks[1]),
    long: () => (a, b) => b.words - a.words,
    short: () => (a, b) => a.words - b.words,
    "": (run) => (a, b) => b.ranks[run] - a.ranks[run],
  };
  let fitting = [];
  let shown = 0;

  const between = (value, low, high) => (!low || value >= Number(low)) && (!high || value <= Number(high));
  const said = (rank) => rank.toLocaleString("en");

  function element(name, text) {
    const made = document.createElement(name);
    made.textContent = text;
    return made;
  }

  function line({ name, text, ranks, place }) {
    const link = document.createElement("a");
    link.href = `${data.key}-${Math.floor(place / data.page) + 1}.html#q${place + 1}`;
    const told = data.runs.length === 1 ? `rank ${said(ranks[0])}` : ranks.map((rank, i) => `${data.runs[i][0]} ${said(rank)}`).join(" · ");
    link.append(element("b", told), element("span", text || name));
    if (text) link.append(element("small", name));
    const item = document.createElement("li");
    item.append(link);
    return item;
  }

  function further() {
    list.append(...fitting.slice(shown, shown + STEP).map(line));
    shown = Math.min(shown + STEP, fitting.length);
    more.hidden = shown === fitting.length;
  }

  function show() {
    const asked = (name) => state.get(name) || "";
    const words = asked("q").toLowerCase().split(/\s+/).filter(Boolean);
    const run = Number(asked("run")) || 0;
    const k = Number(asked("k")) || 1;
    const right = data.runs.map((_, i) => asked(`hit${i}`));
    const kept = asked("class");
    fitting = queries.filter(
      (query) =>
        between(query.ranks[run], asked("from"), asked("to")) &&
        between(query.words, asked("least"), asked("most")) &&
        right.every((way, i) => !way || (way === "right") === query.ranks[i] <= k) &&
        (!kept || query.classes.includes(Number(kept))) &&
        words.every((word) => query.sought.includes(word)),
    );
    const order = orders[asked("sort")] || orders[""];
    fitting.sort(order(run)); // stable: equal ones stay in the order of the pages
    list.replaceChildren();
    shown = 0;
    further();
    form.querySelector("[role=status]").textContent = `${said(fitting.length)} of ${said(queries.length)} queries`;
  }

  const classes = form.elements.class;
  data.classes.forEach((name, i) => classes.append(new Option(name, i)));
  classes.parentElement.hidden = data.classes.length < 2;
  for (const field of fields) {
    if (state.get(field.name)) field.value = state.get(field.name);
    field.addEventListener("input", () => {
      state.delete(field.name);
      if (field.value && field.value !== field.querySelector?.("option")?.value) state.set(field.name, field.value);
      const text = state.toString();
      history.replaceState(null, "", text ? `#${text}` : location.pathname.split("/").pop() + location.search);
      show();
    });
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => {
    for (const name of [...state.keys()]) state.delete(name);
    history.replaceState(null, "", location.pathname.split("/").pop() + location.search);
    show();
  });
  more.addEventListener("click", further);
  form.hidden = list.hidden = false;
  document.querySelector(".pages").open = false;
  show();
})();
