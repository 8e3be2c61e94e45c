/** The files that lie beside the program: added from the disk or written here, named, removed. */

import { byId, element } from "./dom.js";
import { fileOf, problems, sizeOf, total } from "./files.js";
import { plain } from "./reveal.js";
import { bytes } from "./words.js";

/** @typedef {import("./files.js").Named} Named */

/** A larger one is not edited here: a text field would be slow. */
const EDITED = 65_536;
const part = byId("files-part", HTMLElement);
const list = byId("files", HTMLUListElement);
const adds = byId("add-files", HTMLButtonElement);
const about = byId("files-about", HTMLElement);
const problem = byId("files-problem", HTMLElement);
/** @type {Named[]} */
let files = [];
/** Of the language. @type {Record<string, number>} */
let limits = {};
let changed = () => {};

/** @param {() => void} onChanged called after each change that a person makes */
export function connect(onChanged) {
  changed = onChanged;
  const picker = element("input", { type: "file", multiple: true });
  picker.onchange = () => {
    const picked = [...(picker.files ?? [])];
    picker.value = ""; // so that the same file can be picked again
    void add(picked);
  };
  adds.onclick = () => picker.click();
  byId("new-file", HTMLButtonElement).onclick = write;
  takeDropped();
}

/** @param {Named[]} given @param {Record<string, number>} ofLanguage */
export function show(given, ofLanguage) {
  [files, limits] = [given.map((each) => ({ ...each })), ofLanguage]; // a copy: the original may be an example
  part.hidden = !limits.files;
  list.replaceChildren(...files.map(row));
  tell();
}

export function current() {
  return { files, problem: problems(files, limits).join(" ") };
}

/** One of a name that is there takes its place. @param {File[]} picked */
async function add(picked) {
  /** @type {string[]} */
  const left = [];
  for (const each of picked) {
    const others = files.filter(({ name }) => name !== each.name);
    const fits = others.length < limits.files && total(others) + each.size <= limits.file_bytes;
    const data = fits ? await each.arrayBuffer().catch(() => null) : null; // a folder cannot be read
    if (data) files = [...files.filter(({ name }) => name !== each.name), fileOf(each.name, new Uint8Array(data))];
    else left.push(each.name);
  }
  list.replaceChildren(...files.map(row));
  edited();
  if (left.length) problem.textContent = `${notAdded(left)} ${problem.textContent}`;
}

/** @param {string[]} names */
function notAdded(names) {
  const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
  return `Not added: ${names.slice(0, 3).map(plain).join(", ")}${more}. ${most()} is the limit; folders are not read.`;
}

function most() {
  return `${limits.files} files of ${bytes(limits.file_bytes)} together`;
}

/** A new one, to be filled in. */
function write() {
  const names = files.map(({ name }) => name);
  let number = 1;
  while (names.includes(`file${number}.txt`)) number += 1;
  const made = { name: `file${number}.txt`, content: "" };
  files = [...files, made];
  const added = row(made);
  list.append(added);
  added.querySelector("button")?.click();
  added.querySelector("input")?.focus();
  edited();
}

/** @param {Named} file */
function row(file) {
  const name = element("input", { value: file.name, ariaLabel: "File name", spellcheck: false, autocomplete: "off", autocapitalize: "off" });
  const size = element("small", { textContent: bytes(sizeOf(file.content)) });
  const remove = element("button", { type: "button", className: "plain", textContent: "Remove" });
  const [edit, ...text] = editing(file, size);
  const made = element("li", {}, name, size, ...(edit ? [edit] : []), remove, ...text);
  const label = () => (remove.ariaLabel = `Remove ${plain(file.name)}`);
  name.oninput = () => ((file.name = name.value), label(), edited());
  remove.onclick = () => {
    const next = made.nextElementSibling ?? made.previousElementSibling;
    files = files.filter((each) => each !== file);
    made.remove();
    (next?.querySelector("input") ?? adds).focus();
    edited();
  };
  label();
  return made;
}

/** A text field keeps no other line end than \n: a file with others is left as it is. @param {Named} file
 * @param {HTMLElement} size @returns {HTMLElement[]} */
function editing(file, size) {
  const { content } = file;
  if (typeof content !== "string" || content.length > EDITED || content.includes("\r")) return [];
  const text = element("textarea", { value: content, rows: 4, hidden: true, ariaLabel: "Content of the file", spellcheck: false });
  const button = element("button", { type: "button", className: "plain", textContent: "Edit", ariaExpanded: "false" });
  button.onclick = () => {
    text.hidden = !text.hidden;
    button.ariaExpanded = String(!text.hidden);
  };
  text.oninput = () => {
    file.content = text.value;
    size.textContent = bytes(sizeOf(text.value));
    edited();
  };
  return [button, text];
}

function edited() {
  tell();
  changed();
}

function tell() {
  about.textContent = files.length
    ? `${files.length} of ${limits.files}, ${bytes(total(files))} of ${bytes(limits.file_bytes)}`
    : `Drop them anywhere: at most ${limits.files}, ${bytes(limits.file_bytes)}`;
  problem.textContent = current().problem;
}

/** Wherever they fall: a browser would leave the page for them, or paste them into the editor. */
function takeDropped() {
  const { dataset } = document.body;
  const over = (/** @type {DragEvent} */ event) => {
    if (!event.dataTransfer?.types.includes("Files")) return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  const options = { capture: true };
  addEventListener("dragover", (event) => over(event) && (dataset.dropping = ""), options);
  addEventListener("dragleave", (event) => event.relatedTarget ?? delete dataset.dropping, options);
  addEventListener("drop", (event) => {
    if (!over(event)) return;
    delete dataset.dropping;
    if (!part.hidden) void add([...(event.dataTransfer?.files ?? [])]);
  }, options);
}
