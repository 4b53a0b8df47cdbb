"""What is wrong with a page as a browser shows it, each fault a sentence that names its place."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Literal

import polib
from playwright.sync_api import Page, ViewportSize

from tests.test_translations import CATALOGUE

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
HEIGHT = 800
# Enough to leave the content of any of our pages, however many boxes it has.
MOST_TABS = 400

_SERIOUS = """async (rules) => {
  const options = { resultTypes: ["violations"], ...(rules && { runOnly: { type: "rule", values: rules } }) };
  const { violations } = await axe.run(document, options);
  return violations
    .filter(({ impact }) => ["serious", "critical"].includes(impact))
    .flatMap(({ id, nodes }) => nodes.slice(0, 3).map((node) => `${id}: ${node.html.slice(0, 160)} ${
      [...node.any, ...node.all].map((check) => check.message).join("; ").slice(0, 200)}`));
}"""

WIDER = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  // Of what hangs over, the innermost, and nothing that scrolls in a box of its own.
  const boxed = (element) => element.closest(".sync-scroll, .table-responsive, pre, .sync-report, .visually-hidden");
  const over = [...document.body.querySelectorAll("*")].filter(
    (element) => element.getBoundingClientRect().right > width + 1 && !boxed(element));
  const inner = over.filter((element) => !over.some((other) => other !== element && element.contains(other)));
  return [`wider than ${width}: ${document.documentElement.scrollWidth}: ` +
    inner.slice(0, 3).map((element) => element.outerHTML.slice(0, 160)).join(" | ")];
}"""

# Words of which a part isn't there: what is cut off and says nowhere how it goes on.
CUT = """() => {
  const short = (element) => element.outerHTML.replace(/\\s+/g, " ").slice(0, 140);
  const meant = ".visually-hidden, .visually-hidden-focusable, .sync-scroll, svg, script, details:not([open])";
  return [...document.body.querySelectorAll("*")]
    .filter((element) => !element.closest(meant))
    .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.nodeValue.trim()))
    .filter((element) => ["hidden", "clip"].includes(getComputedStyle(element).overflowX))
    .filter((element) => element.scrollWidth > element.clientWidth + 1 && !element.closest("[title]"))
    .slice(0, 3)
    .map((element) => `cut off: ${short(element)}`);
}"""

_STRUCTURE = """() => {
  const faults = [];
  const h1 = document.querySelectorAll("h1").length;
  if (h1 !== 1) faults.push(`${h1} h1`);
  if (/^\\s*·/.test(document.title)) faults.push(`no title: ${document.title}`);
  return faults;
}"""

# Tells of each element that gets the focus whether something shows it, and whether it lies behind something else.
_WATCH = """() => {
  const wanted = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]:not([tabindex='-1'])";
  const main = document.getElementById("content");
  const short = (element) => element.outerHTML.replace(/\\s+/g, " ").slice(0, 140);
  // A page that follows its run puts new elements in place of those that the Tab key has passed, with the same ids.
  const group = (element) =>
    element.type === "radio" ? `radio ${element.name} ${element.form?.id}` : element.id ? `#${element.id}` : element;
  const shown = (element) =>
    element.checkVisibility({ checkVisibilityCSS: true }) && !element.disabled && element.tabIndex >= 0;
  window.tabbed = { seen: new Set(), faults: [], left: false };
  const outlined = (element) => {
    const style = getComputedStyle(element);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  };
  const isHidden = (target) => {
    const box = target.getBoundingClientRect();
    const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1);
    return [box.top + 2, box.top + box.height / 2, box.bottom - 2].every((y) => {
      const top = document.elementFromPoint(x, y);
      return top && !top.contains(target) && !target.contains(top) && top.closest(".sync-go, .sync-navbar");
    });
  };
  document.addEventListener("focusin", ({ target }) => {
    if (target === main) return;
    if (!main.contains(target)) { window.tabbed.left = true; return; }
    window.tabbed.seen.add(group(target));
    // A place to drop files has the outline around the input that it is.
    const around = [target, target.parentElement, target.parentElement.parentElement];
    const isShown = getComputedStyle(target).boxShadow !== "none" || around.some(outlined);
    if (!isShown) window.tabbed.faults.push(`focus can't be seen: ${short(target)}`);
    // The page scrolls to it after the event.
    requestAnimationFrame(() => document.activeElement === target && isHidden(target) &&
      window.tabbed.faults.push(`focus lies behind something: ${short(target)}`));
  });
  window.missed = () => [...main.querySelectorAll(wanted)]
    .filter((element) => shown(element) && !window.tabbed.seen.has(group(element)))
    .map((element) => `no Tab gets there: ${short(element)}`);
  main.focus();
}"""

# Texts of people and machines aren't ours: names, code, files, what is marked as being in another language.
_TEXTS = """() => {
  const theirs = "code, pre, samp, kbd, script, style, textarea, .font-monospace, .sync-name, [translate=no], [lang]:not(html)";
  const texts = new Set([document.title.replace(/ · ToolSync$/, "")]);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) if (!walker.currentNode.parentElement.closest(theirs)) texts.add(walker.currentNode.nodeValue);
  for (const name of ["aria-label", "title", "placeholder", "alt", "data-label", "data-confirm", "data-announce"])
    for (const element of document.querySelectorAll(`[${name}]`))
      if (!element.closest(theirs)) texts.add(element.getAttribute(name));
  return [...texts].map((text) => text.replace(/\\s+/g, " ").trim()).filter(Boolean);
}"""
# Words that no French sentence has.
_ENGLISH = re.compile(
    r"\b(?:the|of|and|is|are|was|were|with|this|that|these|those|for|from|not|yet|has|have|which|what|who|you|your|be|been|by"
    r"|nothing|nobody|each|every|where|when|then|than|its|isn|doesn|don)\b",
    re.IGNORECASE,
)


@cache
def english() -> frozenset[str]:
    """Return the texts that the catalogue translates into something else."""
    return frozenset(
        entry.msgid for entry in polib.pofile(str(CATALOGUE)) if entry.msgstr and entry.msgstr != entry.msgid
    ) - {entry.msgstr for entry in polib.pofile(str(CATALOGUE))}


def load_axe(page: Page) -> None:
    """Bring axe into the pages that follow; the policy of the site forbids a script element."""
    assert AXE.exists(), "axe-core isn't here: `make setup-tests` fetches it"
    page.context.add_init_script(path=AXE)


def serious_faults(page: Page, *rules: str) -> list[str]:
    """Return what axe finds serious or critical. Shape: rules: only these"""
    return list(page.evaluate(_SERIOUS, list(rules) or None))


def in_theme(page: Page, theme: Literal["light", "dark"]) -> Page:
    """Let the system ask for a theme, and wait until the page has it."""
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.locator(f"html[data-bs-theme={theme}]").wait_for()
    return page


def structural_faults(page: Page) -> list[str]:
    return list(page.evaluate(_STRUCTURE))


def overflow(page: Page, width: int) -> list[str]:
    page.set_viewport_size(ViewportSize(width=width, height=HEIGHT))
    return list(page.evaluate(WIDER))


def keyboard_faults(page: Page) -> list[str]:
    """Go through the content of a page with the Tab key alone."""
    page.evaluate(_WATCH)
    for _ in range(MOST_TABS // 10):
        for _ in range(10):
            page.keyboard.press("Tab")
        if page.evaluate("window.tabbed.left || document.activeElement === document.body"):
            break
    return [*page.evaluate("window.tabbed.faults"), *page.evaluate("window.missed()")]


def english_texts(page: Page, english: frozenset[str]) -> list[str]:
    """Return texts of a French page that are English. Shape: english: texts that the catalogue translates"""
    found: list[str] = page.evaluate(_TEXTS)
    words = [text for text in found if re.search(r"\w", text)]
    return [f"English: {text[:120]}" for text in words if text in english or _ENGLISH.search(text)]
