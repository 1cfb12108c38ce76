// The page can be read without this script: a mark of trial 7, in any chart or in the table, is a link to #trial-7, and
// the browser follows it. The script shows in all charts what belongs to one trial, sorts the table, copies commands.
"use strict";

const panels = document.querySelector(".panels");
const openPanel = () => panels?.querySelector(".panel.open");

const wayBack = document.createElement("a"); // leads from further down to the panel of the chosen trial
wayBack.className = "back";
wayBack.hidden = true;

// Gives a class to the links to one trial, and to no others.
function tag(className, hash) {
  for (const link of document.querySelectorAll(`a.${className}`)) link.classList.remove(className);
  for (const link of document.querySelectorAll(`a[href="${hash}"]`)) link.classList.add(className);
}

function choose(hash) {
  const panel = /^#trial-\d+$/.test(hash) && document.getElementById(hash.slice(1));
  if (!panel) return;
  openPanel()?.classList.remove("open");
  panel.classList.add("open");
  tag("chosen", hash);
  wayBack.href = hash;
  wayBack.textContent = `${panel.querySelector("h3").textContent}: ${panel.querySelector(".subtitle").textContent}`;
}

function bringIntoView(panel) {
  const { top } = panel.getBoundingClientRect();
  if (top < 0 || top > 0.6 * innerHeight) panel.scrollIntoView({ behavior: "smooth" });
}

const linkOf = (event) => event.target.closest?.('a[href^="#trial-"]');

function point(event) {
  const link = linkOf(event);
  tag("pointed", link?.getAttribute("href"));
  document.body.classList.toggle("pointing", Boolean(link));
}

function follow(event) {
  const link = linkOf(event);
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const hash = link.getAttribute("href");
  history.replaceState(null, "", hash);
  choose(hash);
  // A chart further down stays in view: there one looks where the same trial stands in the others.
  if (link.closest(".explorer, table, .back")) bringIntoView(openPanel());
}

// By the numbers of a column where it has them, else by its words; what is missing stands last either way.
function sortBy(head) {
  const sign = head.ariaSort === "ascending" ? -1 : 1;
  const cell = (row) => row.cells[head.cellIndex];
  const body = head.closest("table").tBodies[0];
  const rows = [...body.rows].sort((a, b) => {
    const [first, second] = [cell(a).dataset.order, cell(b).dataset.order];
    if (first === undefined || second === undefined) return sign * cell(a).textContent.localeCompare(cell(b).textContent);
    return first && second ? sign * (first - second) : Number(!first) - Number(!second);
  });
  for (const other of head.parentNode.cells) other.ariaSort = null;
  head.ariaSort = sign > 0 ? "ascending" : "descending";
  body.append(...rows);
}

// Where the browser does not let a page copy, the command is at least selected.
async function copy(code, button) {
  getSelection().selectAllChildren(code);
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "copied";
  } catch {
    button.textContent = "selected";
  }
  setTimeout(() => { button.textContent = "copy"; }, 1500);
}

function addButton(place, contents, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...contents);
  button.addEventListener("click", () => act(button));
  place.append(button);
}

document.documentElement.classList.add("scripted");
document.body.append(wayBack);
for (const head of document.querySelectorAll("table.sortable thead th")) addButton(head, [...head.childNodes], () => sortBy(head));
for (const code of document.querySelectorAll(".panel pre:not(.code) code")) addButton(code.parentNode, ["copy"], (button) => copy(code, button));
for (const kind of ["mouseover", "focusin"]) document.addEventListener(kind, point);
document.addEventListener("click", follow);
addEventListener("hashchange", () => choose(location.hash));
if (panels) {
  choose(`#${openPanel()?.id}`);
  choose(location.hash);
  new IntersectionObserver(([seen]) => { wayBack.hidden = seen.isIntersecting || !wayBack.href; }).observe(panels);
}
