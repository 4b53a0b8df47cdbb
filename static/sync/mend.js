// The grid of failed rows as a spreadsheet: keys, pasted ranges, undo, a draft that is kept. Without it the page is a form.

const draftDelay = 700;
// What can be taken back: lists of [name of the cell, its text before].
const steps = [];
let timer = null;
let before = null;

const form = () => document.getElementById("mend");
const grid = () => document.getElementById("mend-grid");
const isCell = (element) => element instanceof HTMLInputElement && element.name.startsWith("c-");
const rowOf = (cell) => [...cell.closest("tr").querySelectorAll("td input")];

function cellBeside(cell, down, right) {
  const rows = [...grid().querySelectorAll("tbody tr")];
  const row = rows[rows.indexOf(cell.closest("tr")) + down];
  return row && rowOf({ closest: () => row })[rowOf(cell).indexOf(cell) + right];
}

function go(cell) {
  if (!cell) return false;
  cell.focus();
  if (isCell(cell)) cell.select();
  return true;
}

function write(changes) {
  steps.push(changes.map(([cell]) => [cell.name, cell.value]));
  for (const [cell, text] of changes) put(cell, text);
  keepSoon();
}

function put(cell, text) {
  cell.value = text;
  if (cell === document.activeElement) before = text;
  cell.closest("td").classList.add("is-changed");
}

function takeBack() {
  const step = steps.pop();
  if (!step) return;
  for (const [name, text] of step) {
    const cell = document.getElementById(name);
    if (cell) put(cell, text);
  }
  go(document.getElementById(step[0][0]));
  keepSoon();
}

function keepSoon() {
  clearTimeout(timer);
  timer = setTimeout(keep, draftDelay);
}

async function keep() {
  clearTimeout(timer);
  timer = null;
  const sent = new FormData(form());
  sent.set("do", "save");
  const said = document.getElementById("mend-saved");
  try {
    const answer = await fetch(form().action, { method: "POST", body: sent, headers: { "X-Draft": "1" }, redirect: "manual" });
    said.textContent = answer.status === 204 ? said.dataset.saved : answer.status === 413 ? await answer.text() : said.dataset.failed;
  } catch {
    said.textContent = said.dataset.failed;
  }
}

document.addEventListener("focusin", (event) => {
  if (isCell(event.target)) before = event.target.value;
});

document.addEventListener("change", (event) => {
  if (!grid()?.contains(event.target)) return;
  if (isCell(event.target) && before !== null && before !== event.target.value) {
    steps.push([[event.target.name, before]]);
    before = event.target.value;
    event.target.closest("td").classList.add("is-changed");
  }
  keepSoon();
});

document.addEventListener("keydown", (event) => {
  const cell = event.target;
  if (!grid()?.contains(cell) || !(cell instanceof HTMLInputElement) || event.altKey) return;
  if ((event.ctrlKey || event.metaKey) && event.key === "z") {
    // What is being typed is taken back by the browser.
    if (isCell(cell) && cell.value !== before) return;
    event.preventDefault();
    takeBack();
    return;
  }
  if (event.ctrlKey || event.metaKey) return;
  const end = isCell(cell) ? cell.value.length : 0;
  const isWhole = !isCell(cell) || (cell.selectionStart === 0 && cell.selectionEnd === end);
  const moves = {
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
    Enter: [event.shiftKey ? -1 : 1, 0],
    ArrowLeft: isWhole || cell.selectionEnd === 0 ? [0, -1] : null,
    ArrowRight: isWhole || cell.selectionStart === end ? [0, 1] : null,
  };
  const move = moves[event.key];
  if (!move || (event.shiftKey && event.key !== "Enter")) return;
  if (event.key === "Enter" || go(cellBeside(cell, ...move))) event.preventDefault();
  if (event.key === "Enter") go(cellBeside(cell, ...move));
});

document.addEventListener("paste", (event) => {
  const start = event.target;
  if (!isCell(start)) return;
  const lines = event.clipboardData.getData("text").replace(/\r?\n$/, "").split(/\r?\n/).map((line) => line.split("\t"));
  if (lines.length === 1 && lines[0].length === 1) return;
  event.preventDefault();
  const changes = lines.flatMap((texts, down) => texts.map((text, right) => [cellBeside(start, down, right), text]));
  write(changes.filter(([cell]) => cell && isCell(cell)));
});

document.addEventListener("click", (event) => {
  const question = event.target.dataset?.discard;
  if (question && !window.confirm(question)) event.preventDefault();
});

// What a button sends holds the cells as well: no draft may come behind it.
document.addEventListener("htmx:beforeRequest", () => clearTimeout(timer));

// A grid that was swapped in has the focus where it was, or in the cell that was mended.
document.addEventListener("htmx:afterSettle", () => {
  const name = form()?.dataset.focus;
  if (name && !form().contains(document.activeElement)) go(document.getElementById(name));
});

// Nothing that was typed is lost by going away at once.
window.addEventListener("pagehide", () => {
  if (timer === null) return;
  const sent = new FormData(form());
  sent.set("do", "save");
  navigator.sendBeacon(form().action, sent);
});
