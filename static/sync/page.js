// Small comforts. Every page works without them.

// A place to drop files says what was dropped.
for (const drop of document.querySelectorAll(".sync-drop")) {
  const input = drop.querySelector("input[type=file]");
  const names = drop.querySelector(".sync-drop-names");
  input.addEventListener("dragenter", () => drop.classList.add("is-over"));
  for (const event of ["dragleave", "drop", "change"]) {
    input.addEventListener(event, () => drop.classList.remove("is-over"));
  }
  input.addEventListener("change", () => {
    names.textContent = [...input.files].map((file) => file.name).join(", ");
    // A file that is handed in here is the one to use, not the one chosen in the list.
    const list = drop.dataset.insteadOf && document.getElementById(drop.dataset.insteadOf);
    if (list && input.files.length) {
      list.value = "";
      list.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
}

// A file that is dropped on the overview is sent at once.
for (const form of document.querySelectorAll("form[data-send-at-once]")) {
  form.querySelector("input[type=file]").addEventListener("change", () => form.requestSubmit());
}

// A file may be dropped on any page: it is imported, unless something on the page takes it.
const anywhere = document.getElementById("drop-anywhere");
if (anywhere) {
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files") && !event.target.closest?.(".sync-drop");
  document.addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return document.body.removeAttribute("data-drop");
    event.preventDefault();
    document.body.dataset.drop = anywhere.dataset.says;
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.removeAttribute("data-drop");
  });
  document.addEventListener("drop", (event) => {
    document.body.removeAttribute("data-drop");
    if (!holdsFiles(event) || !event.dataTransfer.files.length) return;
    event.preventDefault();
    anywhere.querySelector("input[type=file]").files = event.dataTransfer.files;
    anywhere.submit();
  });
}

// What can't be taken back at once is asked for once more.
document.addEventListener(
  "submit",
  (event) => {
    const question = event.target.dataset.confirm;
    if (question && !window.confirm(question)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  },
  true,
);

// A form is sent once, however often its button is pressed.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-once]")) delete form.dataset.sent;
});

// What somebody has opened stays open when its page is swapped.
document.addEventListener("htmx:beforeSwap", (event) => {
  const open = [...event.detail.target.querySelectorAll("details[id][open]")].map((details) => details.id);
  document.addEventListener("htmx:afterSwap", () => {
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  }, { once: true });
});

// Where a swap takes away what had the focus, its likeness in the new part takes it, or else the place that the part names.
const likenessOf = (element) => {
  const value = ["BUTTON", "INPUT"].includes(element.tagName) ? element.getAttribute("value") : "";
  return [element.tagName, element.id, element.getAttribute("href"), element.getAttribute("name"), value].join("\n");
};
const likesOf = (element) =>
  [...document.getElementsByTagName(element.tagName)].filter((other) => likenessOf(other) === likenessOf(element));
let focused = null;
document.addEventListener("htmx:beforeSwap", (event) => {
  const element = document.activeElement;
  if (!element || element === document.body) return;
  focused = { element, place: likesOf(element).indexOf(element), otherwise: event.detail.target.dataset.focus };
});
document.addEventListener("htmx:afterSettle", () => {
  if (!focused || focused.element.isConnected) return;
  // A form that names its place takes care of it itself.
  const ownPlace = document.querySelector("form[data-focus]")?.dataset.focus;
  if (!ownPlace && document.activeElement === document.body) {
    const likes = likesOf(focused.element);
    const next = likes[focused.place] ?? likes[0] ?? document.getElementById(focused.otherwise);
    next?.focus({ preventScroll: likes.length > 0 });
  }
  focused = null;
});

// Progress is swapped every second; only a change of its sentence is read out.
document.addEventListener("htmx:afterSwap", (event) => {
  const said = (event.target.querySelector("[data-announce]") ?? document.querySelector("[data-announce]"))?.dataset.announce;
  const region = document.getElementById("announcement");
  if (said && region && region.textContent !== said) region.textContent = said;
});

// What can be copied is a text that can be selected; with a clipboard there is a button, too.
if (navigator.clipboard) {
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    const region = document.getElementById("announcement");
    if (region) region.textContent = button.dataset.copied;
  });
}

// A menu closes when somebody presses Escape, clicks elsewhere or opens another one.
const openMenus = () => document.querySelectorAll("details.sync-menu[open]");
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
for (const happening of ["click", "focusin"]) {
  document.addEventListener(happening, (event) => {
    for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
  });
}
