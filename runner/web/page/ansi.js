/**
 * What a program printed -> pieces of text with a style. Colours are kept, and what moves within a line moves: \r, \b,
 * tabs, erasing. Whatever else could move, hide or reorder text becomes a visible mark. Nothing here touches the page.
 */

import { Revealer, visible } from "./reveal.js";

/** @typedef {{fg: Colour, bg: Colour, bold: boolean, dim: boolean, italic: boolean, underline: boolean,
 *   inverse: boolean, strike: boolean}} Style */
/** One of the 16 named colours, any other as rgb(), or the page's own. @typedef {number|string|null} Colour */
/** A mark stands for a character that has no sign of its own, a rule for a screen that was cleared.
 * @typedef {{text: string, style: Style, kind: "text"|"mark"|"rule"}} Piece */
/** What is settled, and the line that may still change. @typedef {{done: Piece[], line: Piece[]}} Shown */

/** @type {Style} */
const PLAIN = Object.freeze({
  fg: null, bg: null, bold: false, dim: false, italic: false, underline: false, inverse: false, strike: false,
});
const TAB = 8;

/** A colour; erasing in a line; clearing, or going to the top; moving in a line; another control; any other character. */
const TOKENS =
  /\x1b\[(?<colour>[0-9;:]{0,60})m|\x1b\[(?<erase>[0-2]?K|0?J)|(?<clear>\x1b\[(?:[01]?(?:;[01]?)?[Hf]|[23]J)|\x1bc)|(?<moves>[\b\t\n\r])|(?<control>[\x00-\x1f\x7f-\x9f])|[^]/gu;
/** What may go on in the next piece of output. */
const UNFINISHED = /\x1b(?:\[[0-9;:]{0,60})?$/;

/** @type {Record<number, Partial<Style>>} */
const SIMPLE = {
  0: PLAIN, 1: { bold: true }, 2: { dim: true }, 3: { italic: true }, 4: { underline: true }, 7: { inverse: true },
  9: { strike: true }, 21: { underline: true }, 22: { bold: false, dim: false }, 23: { italic: false },
  24: { underline: false }, 27: { inverse: false }, 29: { strike: false }, 39: { fg: null }, 49: { bg: null },
};

/** Decodes one stream; keeps its style, the line it is in, and a sequence that has not ended. */
export class Decoder {
  #style = PLAIN;
  #kept = "";
  #line = new Line();
  #revealer = new Revealer();
  /** @type {Piece[]} */
  #done = [];
  /** Nothing was printed since the screen was cleared. */
  #empty = true;

  /** @param {string} text @returns {Shown} */
  feed(text) {
    const all = this.#kept + text;
    this.#kept = all.match(UNFINISHED)?.[0] ?? "";
    return this.#read(all.slice(0, all.length - this.#kept.length));
  }

  /** What is left when nothing follows. @returns {Shown} */
  end() {
    const kept = this.#kept;
    this.#kept = "";
    return this.#read(kept);
  }

  /** The line stays as it is: what follows stands elsewhere. */
  leave() {
    this.#line = new Line();
  }

  /** @param {string} text @returns {Shown} */
  #read(text) {
    for (const { 0: token, groups = {} } of text.matchAll(TOKENS)) {
      if (groups.colour !== undefined) this.#style = restyled(this.#style, groups.colour);
      else if (groups.erase) this.#line.erase(groups.erase);
      else if (groups.clear) this.#clear();
      else if (token === "\n") this.#end();
      else if (groups.moves) this.#line.move(token, this.#style);
      else this.#print(token, groups.control ? visible(token) : this.#revealer.show(token));
      this.#empty &&= Boolean(groups.clear ?? groups.erase ?? groups.colour !== undefined);
    }
    return { done: joined(this.#done.splice(0)), line: joined(this.#line.cells) };
  }

  /** @param {string} character @param {string} shown */
  #print(character, shown) {
    if (shown) this.#line.put(shown, this.#style, shown === character ? "text" : "mark");
  }

  #end() {
    this.#done.push(...this.#line.cells, { text: "\n", style: PLAIN, kind: "text" });
    this.#line = new Line();
  }

  /** What was there stays, above a rule: this is a record, and nothing in it is lost. */
  #clear() {
    if (this.#empty) return;
    if (this.#line.cells.length) this.#end();
    this.#done.push({ text: "", style: PLAIN, kind: "rule" });
    this.#line = new Line();
    this.#empty = true;
  }
}

/** A line as a terminal has it: a character a column, and a place where the next one goes. */
class Line {
  /** @type {Piece[]} */
  cells = [];
  #at = 0;
  #tabs = false;

  /** @param {string} text @param {Style} style @param {"text"|"mark"} kind */
  put(text, style, kind) {
    if (this.#at < this.cells.length) this.#spread();
    while (this.cells.length < this.#at) this.cells.push({ text: " ", style: PLAIN, kind: "text" });
    this.cells[this.#at++] = { text, style, kind };
  }

  /** @param {string} control @param {Style} style */
  move(control, style) {
    if (control === "\t" && this.#at === this.cells.length) {
      this.put("\t", style, "text"); // as it is, to be copied as it is
      this.#tabs = true;
      return;
    }
    if (control === "\r") return void (this.#at = 0);
    this.#spread();
    if (control === "\b") this.#at = Math.max(0, Math.min(this.#at, this.cells.length) - 1);
    if (control === "\t") this.#at += TAB - (this.#at % TAB);
  }

  /** To the end, to the beginning, or all of it. @param {string} how */
  erase(how) {
    this.#spread();
    if (how.startsWith("1")) this.cells.fill({ text: " ", style: PLAIN, kind: "text" }, 0, this.#at + 1);
    else this.cells.length = how.startsWith("2") ? 0 : Math.min(this.#at, this.cells.length);
  }

  /** Tabs as the spaces that they are on a terminal: what is printed over them takes one column, not eight. */
  #spread() {
    if (!this.#tabs) return;
    /** @type {Piece[]} */
    const spread = [];
    let at = 0;
    for (const [index, cell] of this.cells.entries()) {
      if (cell.text !== "\t") spread.push(cell);
      else do spread.push({ ...cell, text: " " }); while (spread.length % TAB);
      if (index < this.#at) at = spread.length;
    }
    [this.cells, this.#at, this.#tabs] = [spread, at, false];
  }
}

/** Neighbours of one style are one piece. @param {Piece[]} cells */
function joined(cells) {
  /** @type {Piece[]} */
  const pieces = [];
  for (const cell of cells) {
    const last = pieces.at(-1);
    if (cell.kind === "text" && last?.kind === "text" && last.style === cell.style) last.text += cell.text;
    else pieces.push({ ...cell });
  }
  return pieces;
}

/** @param {Style} style @param {string} sequence the numbers between ESC [ and m */
function restyled(style, sequence) {
  const numbers = sequence.split(/[;:]/).map(Number);
  while (numbers.length) {
    const code = numbers.shift() ?? 0;
    style = { ...style, ...(code === 38 || code === 48 ? extended(code, numbers) : SIMPLE[code] ?? named(code)) };
  }
  return style;
}

/** @param {number} code @returns {Partial<Style>} */
function named(code) {
  const [tens, ones] = [Math.floor(code / 10), code % 10];
  if (ones > 7) return {};
  return { 3: { fg: ones }, 4: { bg: ones }, 9: { fg: ones + 8 }, 10: { bg: ones + 8 } }[tens] ?? {};
}

/** 5;N and 2;R;G;B; takes its numbers off the list. @param {number} code @param {number[]} numbers @returns {Partial<Style>} */
function extended(code, numbers) {
  const kind = numbers.shift();
  const colour = kind === 5 ? indexed(numbers.shift() ?? 0) : kind === 2 ? rgb(numbers.splice(0, 3)) : null;
  return code === 38 ? { fg: colour } : { bg: colour };
}

/** One of 256: 16 names, a cube of 6 by 6 by 6, 24 greys. @param {number} index @returns {Colour} */
function indexed(index) {
  if (index < 16) return index;
  if (index > 255) return null;
  if (index > 231) return rgb(Array(3).fill((index - 232) * 10 + 8));
  const level = (/** @type {number} */ n) => (n ? n * 40 + 55 : 0);
  const cell = index - 16;
  return rgb([level(Math.floor(cell / 36)), level(Math.floor(cell / 6) % 6), level(cell % 6)]);
}

/** @param {number[]} parts */
function rgb(parts) {
  return parts.length === 3 && parts.every((part) => part <= 255) ? `rgb(${parts.join(" ")})` : null;
}
