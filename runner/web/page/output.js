/** Shows what a program prints, as text and nothing else, at most once per frame. */

import { Decoder } from "./ansi.js";
import { element } from "./dom.js";

/** Where a piece of output came from. @typedef {"stdout"|"stderr"|"compiler"} Source */

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
  /** The nodes of a line that may still change. @type {Node[]} */
  #line = [];

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
    this.#line = [];
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

  /** @param {Source} source @param {import("./ansi.js").Shown} shown */
  #append(source, { done, line }) {
    if (source !== this.#source) {
      if (!done.length && !line.length) return;
      this.#begin(source);
    }
    for (const node of this.#line) node.parentNode?.removeChild(node);
    this.#line = line.map(node);
    this.#text?.append(...done.map(node), ...this.#line);
  }

  /** Another source gets a block of its own, with its name; the line of the one before stays. @param {Source} source */
  #begin(source) {
    if (this.#source) this.#decoder(this.#source).leave();
    this.#line = [];
    this.#source = source;
    this.#text = element("pre", {});
    const name = source === "stdout" ? [] : [element("span", { className: "source", textContent: source })];
    this.#box.append(element("div", { className: `block ${source}` }, ...name, this.#text));
  }
}

/** @param {import("./ansi.js").Piece} piece @returns {Node} */
function node({ text, style, kind }) {
  if (kind === "rule") return element("span", { className: "cleared", role: "separator", ariaLabel: "The screen was cleared" });
  const { fg, bg, inverse, ...rest } = style;
  const [front, back] = inverse ? [bg ?? "page", fg ?? "page"] : [fg, bg];
  const names = Object.entries({ ...rest, inverse, mark: kind === "mark" }).filter(([, on]) => on).map(([name]) => name);
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
