/** What is to be run: language, code, input; where it comes from, and where it is kept. */

import { byId } from "./dom.js";
import { createEditor } from "./editor.js";
import { EXAMPLES } from "./examples.js";
import { pack, unpack } from "./link.js";

/** @typedef {import("./link.js").Program} Program */

const DRAFT = "program";
const language = byId("language", HTMLSelectElement);
const example = byId("example", HTMLSelectElement);
const input = byId("input", HTMLTextAreaElement);
const open = byId("open", HTMLInputElement);
const editor = createEditor(byId("editor", HTMLElement), edited);
/** What was written in each language. @type {Record<string, Program>} */
const drafts = {};
let shown = "";

/** @returns {Program} */
export function current() {
  return { language: shown, code: editor.text(), input: input.value, open: open.checked };
}

/** Fills in the languages and shows a program: that of the link, the one before a reload, or the first example.
 * @param {{language: string, title: string}[]} languages @param {() => void} chosen called when the language is another
 * @returns {Promise<boolean>} whether it came from a link */
export async function begin(languages, chosen) {
  language.replaceChildren(...languages.map(({ language, title }) => new Option(title, language)));
  language.onchange = () => (show(drafts[language.value] ?? first(language.value)), forgetLink(), chosen());
  example.onchange = () => (show(sample(example.value)), forgetLink());
  byId("skip", HTMLAnchorElement).onclick = (event) => (event.preventDefault(), editor.focus());
  input.oninput = open.onchange = edited;
  addEventListener("pagehide", keep);
  addEventListener("hashchange", async () => (await openLink()) && chosen());
  const linked = await openLink();
  if (!linked) show(kept() ?? first(Object.keys(EXAMPLES).find(known) ?? languages[0].language));
  return linked;
}

/** The address of this page with the program in it; null if that is too long. */
export async function link() {
  const fragment = await pack(current());
  if (fragment) window.history.replaceState(null, "", fragment);
  return fragment && location.href;
}

async function openLink() {
  const program = await unpack(location.hash);
  if (!program || !known(program.language)) return false;
  show(program);
  return true;
}

/** @param {string} name */
function known(name) {
  return [...language.options].some(({ value }) => value === name);
}

/** @param {Program} program */
function show(program) {
  if (shown) drafts[shown] = current();
  shown = language.value = program.language;
  editor.open(program.language, program.code);
  [input.value, open.checked] = [program.input, program.open];
  const names = (EXAMPLES[shown] ?? []).map(({ name }) => new Option(name));
  example.replaceChildren(new Option("Choose …", "", true), ...names);
  example.value = (EXAMPLES[shown] ?? []).find((each) => each.code === program.code)?.name ?? "";
}

/** @param {string} name @returns {Program} */
function sample(name) {
  const found = EXAMPLES[shown]?.find((each) => each.name === name);
  return { language: shown, code: found?.code ?? "", input: found?.input ?? "", open: found?.open ?? false };
}

/** @param {string} name @returns {Program} */
function first(name) {
  const { code = "", input = "", open = false } = EXAMPLES[name]?.[0] ?? {};
  return { language: name, code, input, open };
}

function edited() {
  example.value = "";
  forgetLink();
}

/** The address no longer tells what is on the page. */
function forgetLink() {
  byId("share-row", HTMLElement).hidden = true;
  if (location.hash) window.history.replaceState(null, "", location.pathname);
}

/** For a reload; another tab has a program of its own. */
function keep() {
  try {
    sessionStorage.setItem(DRAFT, JSON.stringify(current()));
  } catch {
    // storage is full or switched off: then a reload begins anew
  }
}

/** @returns {Program|null} */
function kept() {
  try {
    const program = JSON.parse(sessionStorage.getItem(DRAFT) ?? "null");
    return program && known(program.language) ? program : null;
  } catch {
    return null;
  }
}
