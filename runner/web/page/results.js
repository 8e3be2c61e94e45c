/** What a program has left in its folder for results: pictures and tables are shown, and all of it can be saved. */

import { MOST, parse } from "./csv.js";
import { byId, element } from "./dom.js";
import { bytesOf } from "./files.js";
import { KINDS, picture } from "./picture.js";
import { plain } from "./reveal.js";
import { bytes } from "./words.js";

/** @typedef {{name: string, size: number, type: string, content: import("./files.js").Content}} Result */

/** @type {Record<string, ","|"\t">} */
const SEPARATORS = { "text/csv": ",", "text/tab-separated-values": "\t" };
/** Never one that a browser opens. */
const SAVED = "application/octet-stream";
const card = byId("results", HTMLElement);
const list = byId("results-list", HTMLUListElement);
const pointer = byId("results-said", HTMLElement);
/** Addresses of what can be saved. @type {string[]} */
let urls = [];

/** When the next run begins. */
export function clear() {
  for (const url of urls) URL.revokeObjectURL(url);
  urls = [];
  card.hidden = true;
  list.replaceChildren();
  pointer.replaceChildren();
}

/** @param {Result[]} files */
export function show(files) {
  if (!files.length) return;
  list.replaceChildren(...files.map(item));
  card.hidden = false;
  const textContent = files.length === 1 ? "1 result below" : `${files.length} results below`;
  pointer.append(element("a", { href: "#results-title", textContent }));
}

/** @param {Result} file */
function item({ name, size, type, content }) {
  const [shown, data] = [plain(name), bytesOf(content)];
  const url = URL.createObjectURL(new Blob([data], { type: SAVED }));
  urls.push(url);
  const save = element("a", { href: url, download: baseName(name), textContent: "Save", ariaLabel: `Save ${shown}` });
  const head = element("div", { className: "head" }, element("bdi", { textContent: shown }), element("small", { textContent: bytes(size) }), save);
  return element("li", {}, head, ...preview(type, content, data, shown));
}

/** @param {string} type @param {import("./files.js").Content} content @param {Uint8Array<ArrayBuffer>} data @param {string} name */
function preview(type, content, data, name) {
  if (KINDS.includes(type)) return [picture(type, content, data, `The picture ${name}`)];
  if (type in SEPARATORS && typeof content === "string") return table(content, SEPARATORS[type], name);
  return [];
}

/** A name for the disk: no folder, nothing that hides, no sign that a system has a meaning for. @param {string} name */
export function baseName(name) {
  const last = plain(name.split(/[/\\]/).at(-1) ?? "");
  return last.replace(/[<>:"|?*]/g, "_").replace(/^[. ]+|[. ]+$/g, "").slice(-100) || "result";
}

/** Its first row is its head. @param {string} text @param {","|"\t"} separator @param {string} name */
function table(text, separator, name) {
  const { rows: [first = [], ...rows], total } = parse(text, separator);
  const head = first.map((cell) => element("th", { scope: "col", textContent: plain(cell) }));
  const body = rows.map((row) => element("tr", {}, ...row.map((cell) => element("td", { textContent: plain(cell) }))));
  const made = element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body));
  const box = element("div", { className: "table", tabIndex: 0, role: "region", ariaLabel: `The table ${name}` }, made);
  return [box, ...leftOut(total)];
}

/** @param {{rows: number, columns: number}} total */
function leftOut({ rows, columns }) {
  const parts = [
    rows > MOST.rows && `the first ${MOST.rows} of ${rows.toLocaleString("en")} rows`,
    columns > MOST.columns && `the first ${MOST.columns} of ${columns.toLocaleString("en")} columns`,
  ].filter(Boolean);
  return parts.length ? [element("p", { textContent: `Shown: ${parts.join(", ")}. Saved, it is whole.` })] : [];
}
