// Searches, filters and orders the lines that the page holds as data; the state is in the address.
// Text of lines is only ever written as text; addresses are made of numbers.
"use strict";
(() => {
  const STEP = 50;
  const data = JSON.parse(document.querySelector('script[type="application/json"]').textContent);
  const lines = data.rows.map(([name, texts, words, values, page, classes, taken, beside = ""], place) => ({
    name, texts, words, values, page, classes, taken, beside, place,
    sought: [name, ...texts, beside].join(" ").toLowerCase(),
  }));
  const form = document.querySelector("form.controls");
  const list = document.querySelector(".results");
  const more = document.querySelector(".more");
  const fields = [...form.elements].filter((field) => field.name);
  const state = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
  const better = data.higher ? (a, b) => b - a : (a, b) => a - b; // sorts the better value first
  const gain = ({ values }) => better(values[1], values[0]); // how much better A is than B
  const length = ({ words }, run) => words[Math.min(run, words.length - 1)];
  const orders = {
    best: (run) => (a, b) => better(a.values[run], b.values[run]),
    apart: () => (a, b) => gain(a) - gain(b),
    ahead: () => (a, b) => gain(b) - gain(a),
    long: (run) => (a, b) => length(b, run) - length(a, run),
    short: (run) => (a, b) => length(a, run) - length(b, run),
    "": (run) => (a, b) => better(b.values[run], a.values[run]),
  };
  const sides = { better: (line) => gain(line) > 0, worse: (line) => gain(line) < 0, equal: (line) => gain(line) === 0 };
  let fitting = [];
  let shown = 0;

  const between = (value, low, high) => (!low || value >= Number(low)) && (!high || value <= Number(high));
  const said = (value) => value.toLocaleString("en", { maximumFractionDigits: 1 });

  function element(name, text) {
    const made = document.createElement(name);
    made.textContent = text;
    return made;
  }

  function line({ name, texts, values, page, place, beside }) {
    const link = document.createElement("a");
    link.href = `${data.key}-${page}.html#q${place + 1}`;
    const one = data.runs.length === 1;
    const told = one ? `${data.value} ${said(values[0])}` : values.map((value, i) => `${data.runs[i][0]} ${said(value)}`).join(" · ");
    link.append(element("b", told));
    texts.forEach((text, i) => {
      const shown = element("span", text || (texts.length > 1 ? "∅" : name));
      if (texts.length > 1) shown.prepend(element("i", `${data.runs[i][0]} `));
      link.append(shown);
    });
    if (texts.length > 1 || texts[0] || beside) link.append(element("small", [texts[0] || texts.length > 1 ? name : "", beside].filter(Boolean).join(" · ")));
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
    const asked = (name) => (form.elements[name] && state.get(name)) || "";
    const words = asked("q").toLowerCase().split(/\s+/).filter(Boolean);
    const run = Number(asked("run")) || 0;
    const k = Number(asked("k")) || 1;
    const right = data.runs.map((_, i) => asked(`hit${i}`));
    const taken = data.runs.map((_, i) => asked(`taken${i}`));
    const side = sides[asked("ahead")];
    const kept = asked("class");
    fitting = lines.filter(
      (line) =>
        between(line.values[run], asked("from"), asked("to")) &&
        between(length(line, run), asked("least"), asked("most")) &&
        right.every((way, i) => !way || (way === "right") === line.values[i] <= k) &&
        taken.every((name, i) => !name || line.taken[i] === Number(name)) &&
        (!side || side(line)) &&
        (!kept || (data.main ? line.classes[0] === Number(kept) : line.classes.includes(Number(kept)))) &&
        words.every((word) => line.sought.includes(word)),
    );
    const order = orders[asked("sort")] || orders[""];
    fitting.sort(order(run)); // stable: equal ones stay in the order of the pages
    list.replaceChildren();
    shown = 0;
    further();
    form.querySelector("[role=status]").textContent = `${said(fitting.length)} of ${said(lines.length)} ${data.nouns[Number(lines.length !== 1)]}`;
  }

  const classes = form.elements.class;
  data.classes.forEach((name, i) => classes.append(new Option(name, i)));
  classes.parentElement.hidden = data.classes.length < 2;
  data.runs.forEach((_, i) => {
    const said = new Set(lines.map((line) => line.taken[i]));
    data.classes.forEach((name, number) => said.has(number) && form.elements[`taken${i}`].append(new Option(name, number)));
  });
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
