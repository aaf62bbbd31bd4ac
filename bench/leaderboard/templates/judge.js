// Keeps what was judged, saves it as a file and goes on from one. Nothing is sent anywhere.
"use strict";
(() => {
  const data = JSON.parse(document.querySelector('script[type="application/json"]').textContent);
  const form = document.querySelector("form.judging");
  const { judge, saved } = form.elements;
  const status = form.querySelector("[role=status]");
  const alert = document.querySelector("[role=alert]");
  const draft = `${data.head.schema} ${data.head.evidence} ${data.head.direction} ${data.head.count} ${data.head.seed}`;
  const pairs = data.queries.flatMap(([query, items], number) => items.map((item, i) => ({ query, item, name: `v${number}-${i}` })));
  const places = new Map(pairs.map(({ query, item }, i) => [JSON.stringify([query, item]), i]));
  const forth = data.head.direction === "t2v";
  let lines = new Map(); // place in pairs -> what the file says of it

  function warn(text) {
    alert.textContent = text;
    alert.hidden = !text;
  }

  const today = () => {
    const now = new Date();
    return [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
  };

  const content = () =>
    [data.head, ...[...lines].sort(([a], [b]) => a - b).map(([, line]) => ({ ...line, judge: judge.value.trim() }))]
      .map((line) => `${JSON.stringify(line)}\n`)
      .join("");

  function tell() {
    status.textContent = `${lines.size} of ${pairs.length} pairs judged`;
  }

  function keep() {
    tell();
    try {
      localStorage.setItem(draft, content());
    } catch (error) {
      warn(`This browser keeps no draft (${error.name}): save the file before you close the page.`);
    }
  }

  function take(text) {
    const [head, ...told] = text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
    if (Object.keys(data.head).some((key) => head[key] !== data.head[key])) throw new Error("it is of another sample");
    const read = new Map();
    for (const line of told) {
      const place = places.get(JSON.stringify(forth ? [line.text, line.video] : [line.video, line.text]));
      const field = place === undefined ? null : document.querySelector(`input[name="${pairs[place].name}"][value="${CSS.escape(line.verdict)}"]`);
      if (!field) throw new Error("it holds a pair or a verdict that is not on this page");
      read.set(place, line);
    }
    lines = read;
    document.querySelectorAll("input[type=radio]").forEach((field) => { field.checked = false; });
    for (const [place, line] of lines) {
      document.querySelector(`input[name="${pairs[place].name}"][value="${CSS.escape(line.verdict)}"]`).checked = true;
    }
    if (told.length) judge.value = String(told[0].judge);
    tell();
  }

  pairs.forEach(({ query, item, name }, place) => {
    for (const field of document.querySelectorAll(`input[name="${name}"]`)) {
      field.addEventListener("change", () => {
        const [text, video] = forth ? [query, item] : [item, query];
        lines.set(place, { text, video, verdict: field.value, judge: "", date: today() });
        keep();
      });
    }
  });
  judge.addEventListener("input", keep);
  saved.addEventListener("change", async () => {
    try {
      take(await saved.files[0].text());
      warn("");
      keep();
    } catch (error) {
      warn(`That file cannot be gone on with: ${error.message}.`);
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!judge.value.trim()) {
      warn("Say who judges: a name, or letters that tell you from others.");
      judge.focus();
      return;
    }
    warn("");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content()], { type: "application/jsonl" }));
    link.download = `judged-${data.head.direction}-${judge.value.trim().replace(/[^A-Za-z0-9]+/g, "-")}.jsonl`;
    link.click();
    URL.revokeObjectURL(link.href);
  });
  form.hidden = false;
  tell();
  try {
    const kept = localStorage.getItem(draft);
    if (kept) take(kept);
  } catch (error) {
    warn(`What was judged here before cannot be read (${error.message}).`);
  }
})();
