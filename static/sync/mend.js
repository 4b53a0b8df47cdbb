// The grid of failed rows as a spreadsheet: keys, pasted ranges, undo, a draft that is kept. Without it the page is a form.

// Units: milliseconds.
const draftDelay = 700;
const retryDelay = 5000;
// What can be taken back: lists of [name of the cell, its text before].
const steps = [];
let timer = null;
let before = null;
// How many edits there were, how many of them the server has, and how many a button has sent.
let edits = 0;
let kept = 0;
let sent = 0;
let keeping = Promise.resolve();

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

function say(text) {
  document.getElementById("mend-saved").textContent = text;
}

function keepSoon() {
  edits += 1;
  say("");
  keepIn(draftDelay);
}

// One after the other: an older draft must not come behind a newer one.
function keepIn(delay) {
  clearTimeout(timer);
  timer = setTimeout(() => (keeping = keeping.then(keep)), delay);
}

async function keep() {
  if (!form()) return;
  const held = edits;
  const sentForm = form();
  const cells = draft();
  const said = document.getElementById("mend-saved").dataset;
  try {
    const answer = await fetch(form().action, { method: "POST", body: cells, headers: { "X-Draft": "1" }, redirect: "manual" });
    if (answer.status === 204) {
      kept = Math.max(kept, held);
      if (form() === sentForm) noteShown(cells);
    } else if (answer.status !== 413) throw new Error(answer.status);
    if (held === edits) say(answer.status === 204 ? said.saved : await answer.text());
  } catch {
    if (held !== edits) return;
    say(said.failed);
    keepIn(retryDelay);
  }
}

// What was kept is no change of this page any more: in another tab it may be changed again.
function noteShown(cells) {
  const field = document.getElementById("mend-shown");
  if (!field) return;
  const shown = JSON.parse(field.value);
  for (const name of Object.keys(shown)) shown[name] = name.startsWith("out-") ? cells.has(name) : (cells.get(name) ?? shown[name]);
  field.value = JSON.stringify(shown);
}

function draft() {
  const cells = new FormData(form());
  cells.set("do", "save");
  return cells;
}

document.addEventListener("focusin", (event) => {
  if (isCell(event.target)) before = event.target.value;
});

document.addEventListener("input", (event) => {
  if (isCell(event.target)) keepSoon();
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

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt === form()) {
    // What a button sends holds the cells as well: no draft may come behind it.
    clearTimeout(timer);
    sent = edits;
  } else if (kept < edits && form()?.contains(event.detail.elt)) {
    // What was typed while the rows are checked is kept before their result takes the place of the grid.
    event.preventDefault();
  }
});

document.addEventListener("htmx:beforeOnLoad", (event) => {
  if (event.detail.elt === form() && event.detail.xhr.status < 400) kept = Math.max(kept, sent);
});

// A grid that was swapped in has the focus where it was, or in the cell that was mended.
document.addEventListener("htmx:afterSettle", () => {
  const name = form()?.dataset.focus;
  if (name && !form().contains(document.activeElement)) go(document.getElementById(name));
});

// What was typed before this script was there is an edit like any other.
const isEdited = (cell) => (isCell(cell) ? cell.value !== cell.defaultValue : cell.checked !== cell.defaultChecked);
const typedBefore = [...(grid()?.querySelectorAll("tbody input") ?? [])].filter(isEdited);
for (const cell of typedBefore) cell.closest("td").classList.add("is-changed");
if (typedBefore.length) keepSoon();

// Nothing that was typed is lost by going away at once: it is sent on the way, and where the browser won't send so much, it asks.
window.addEventListener("beforeunload", (event) => {
  if (kept === edits || !form()) return;
  if (navigator.sendBeacon(form().action, draft())) kept = edits;
  else event.preventDefault();
});
