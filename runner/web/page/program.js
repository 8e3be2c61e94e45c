/** What is to be run: language, code, input, arguments, files; where it comes from, and where it is kept. */

import * as args from "./arguments.js";
import * as beside from "./beside.js";
import { byId } from "./dom.js";
import { createEditor } from "./editor.js";
import { EXAMPLES } from "./examples.js";
import { asSent } from "./files.js";
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
/** Of each language. @type {Map<string, Record<string, number>>} */
const limits = new Map();
let shown = "";

/** @returns {Program} */
function current() {
  const { files } = beside.current();
  return { language: shown, code: editor.text(), input: input.value, open: open.checked, args: args.text(), files };
}

/** What is sent for it, and to which kind of run; `problem` says why nothing can be, "" where all is well. */
export function job() {
  const { language, code, input, open } = current();
  const [said, laid] = [args.current(), beside.current()];
  const rest = { ...(said.args.length && { args: said.args }), ...(laid.files.length && { files: asSent(laid.files) }) };
  const problem = [said.problem, laid.problem].filter(Boolean).join(" ");
  return { job: { language, code, input, ...rest }, open, problem };
}

/** The name of its language. */
export function chosen() {
  return shown;
}

/** Fills in the languages and shows a program: that of the link, the one before a reload, or the first example.
 * @param {{language: string, title: string, limits: Record<string, number>}[]} languages
 * @param {() => void} chosen called when the language is another
 * @returns {Promise<boolean>} whether it came from a link */
export async function begin(languages, chosen) {
  language.replaceChildren(...languages.map(({ language, title }) => new Option(title, language)));
  for (const { language, limits: own } of languages) limits.set(language, own);
  language.onchange = () => (show(drafts[language.value] ?? first(language.value)), forgetLink(), chosen());
  example.onchange = () => (show(sample(example.value)), forgetLink());
  byId("skip", HTMLAnchorElement).onclick = (event) => (event.preventDefault(), editor.focus());
  input.oninput = open.onchange = edited;
  args.connect(edited);
  beside.connect(edited);
  addEventListener("pagehide", keep);
  addEventListener("hashchange", async () => (await openLink()) && chosen());
  const linked = await openLink();
  if (!linked) show(kept() ?? first(Object.keys(EXAMPLES).find(known) ?? languages[0].language));
  return linked;
}

/** The address of this page with the program in it, and the names of the files that are not; null if that is too long. */
export async function link() {
  const found = await pack(current());
  if (found) window.history.replaceState(null, "", found.fragment);
  return found && { address: location.href, left: found.left };
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
  const { args: most = Infinity, ...rest } = limits.get(shown) ?? {};
  args.show(program.args, most);
  beside.show(program.files, rest);
  const names = (EXAMPLES[shown] ?? []).map(({ name }) => new Option(name));
  example.replaceChildren(new Option("Choose …", "", true), ...names);
  example.value = (EXAMPLES[shown] ?? []).find((each) => each.code === program.code)?.name ?? "";
}

/** @param {string} name @returns {Program} */
function sample(name) {
  return programOf(shown, EXAMPLES[shown]?.find((each) => each.name === name));
}

/** @param {string} name @returns {Program} */
function first(name) {
  return programOf(name, EXAMPLES[name]?.[0]);
}

/** @param {string} language @param {Partial<import("./examples.js").Example>} [example] @returns {Program} */
function programOf(language, { code = "", input = "", open = false, args = "", files = [] } = {}) {
  return { language, code, input, open, args, files };
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

/** For a reload; another tab has a program of its own. Files may be more than there is room for. */
function keep() {
  for (const files of [current().files, []]) {
    try {
      return sessionStorage.setItem(DRAFT, JSON.stringify({ ...current(), files }));
    } catch {
      // storage is full or switched off: then a reload begins anew
    }
  }
}

/** @returns {Program|null} */
function kept() {
  try {
    const program = JSON.parse(sessionStorage.getItem(DRAFT) ?? "null");
    return program && known(program.language) ? programOf(program.language, program) : null;
  } catch {
    return null;
  }
}
