/** Shows what a program prints, as text and nothing else, at most once per frame. */

import { Decoder } from "./ansi.js";
import { element } from "./dom.js";

/** Where a piece of output came from. @typedef {"stdout"|"stderr"|"compiler"|"typed"} Source */

export class Output {
  #box;
  /** @type {{source: Source, text: string}[]} */
  #waiting = [];
  /** @type {Map<Source, Decoder>} */
  #decoders = new Map();
  #frame = 0;
  /** @type {Source|null} */
  #source = null;
  /** @type {HTMLElement|null} */
  #text = null;

  /** @param {HTMLElement} box */
  constructor(box) {
    this.#box = box;
  }

  clear() {
    cancelAnimationFrame(this.#frame);
    this.#waiting = [];
    this.#decoders.clear();
    this.#frame = 0;
    this.#source = this.#text = null;
    this.#box.replaceChildren();
  }

  /** @param {Source} source @param {string} text */
  add(source, text) {
    const last = this.#waiting.at(-1);
    if (last?.source === source) last.text += text;
    else this.#waiting.push({ source, text });
    this.#frame ||= requestAnimationFrame(() => this.#show());
  }

  /** Shows what is left, also of sequences that never ended. */
  finish() {
    cancelAnimationFrame(this.#frame);
    this.#show();
    for (const [source, decoder] of this.#decoders) this.#append(source, decoder.end());
  }

  #show() {
    this.#frame = 0;
    const waiting = this.#waiting.splice(0);
    const following = this.#box.scrollHeight - this.#box.scrollTop - this.#box.clientHeight < 40;
    for (const { source, text } of waiting) this.#append(source, this.#decoder(source).feed(text));
    if (following) this.#box.scrollTop = this.#box.scrollHeight;
  }

  /** @param {Source} source */
  #decoder(source) {
    const decoder = this.#decoders.get(source) ?? new Decoder();
    this.#decoders.set(source, decoder);
    return decoder;
  }

  /** @param {Source} source @param {import("./ansi.js").Piece[]} pieces */
  #append(source, pieces) {
    if (!pieces.length) return;
    if (source !== this.#source || !this.#text) this.#begin(source);
    this.#text?.append(...pieces.map(node));
  }

  /** Another source gets a block of its own, with its name. @param {Source} source */
  #begin(source) {
    this.#source = source;
    this.#text = element("pre", {});
    const name = source === "stdout" ? [] : [element("span", { className: "source", textContent: source })];
    this.#box.append(element("div", { className: `block ${source}` }, ...name, this.#text));
  }
}

/** @param {import("./ansi.js").Piece} piece @returns {Node} */
function node({ text, style, mark }) {
  const { fg, bg, inverse, ...rest } = style;
  const [front, back] = inverse ? [bg ?? "page", fg ?? "page"] : [fg, bg];
  const names = Object.entries({ ...rest, inverse, mark }).filter(([, on]) => on).map(([name]) => name);
  const own = { "--front": colour("fg", front, names), "--back": colour("bg", back, names) };
  if (!names.length) return document.createTextNode(text);
  const span = element("span", { textContent: text, className: names.join(" ") });
  for (const [property, value] of Object.entries(own)) if (value) span.style.setProperty(property, value);
  return span;
}

/** Adds the class of a colour; a colour without a name is returned, page.css makes it readable.
 * @param {"fg"|"bg"} side @param {import("./ansi.js").Colour} value @param {string[]} names */
function colour(side, value, names) {
  if (value === null) return null;
  const named = typeof value === "number" || value === "page";
  names.push(`${side}-${named ? value : "own"}`);
  return named ? null : value;
}
