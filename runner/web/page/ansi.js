/**
 * What a program printed -> pieces of text with a style. Colours are kept; whatever else could move, hide or reorder
 * text becomes a visible mark. Nothing here touches the page.
 */

/** @typedef {{fg: Colour, bg: Colour, bold: boolean, dim: boolean, italic: boolean, underline: boolean,
 *   inverse: boolean, strike: boolean}} Style */
/** One of the 16 named colours, any other as rgb(), or the page's own. @typedef {number|string|null} Colour */
/** @typedef {{text: string, style: Style, mark: boolean}} Piece */

/** @type {Style} */
const PLAIN = Object.freeze({
  fg: null, bg: null, bold: false, dim: false, italic: false, underline: false, inverse: false, strike: false,
});

/** A colour sequence; a line end; or a character that is not text: controls, bidi, invisible, tags. */
const SPECIAL =
  /\x1b\[([0-9;:]{0,60})m|\r\n|[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;
/** What may go on in the next piece of output. */
const UNFINISHED = /(?:\x1b(?:\[[0-9;:]{0,60})?|\r)$/;

/** @type {Record<number, Partial<Style>>} */
const SIMPLE = {
  0: PLAIN, 1: { bold: true }, 2: { dim: true }, 3: { italic: true }, 4: { underline: true }, 7: { inverse: true },
  9: { strike: true }, 21: { underline: true }, 22: { bold: false, dim: false }, 23: { italic: false },
  24: { underline: false }, 27: { inverse: false }, 29: { strike: false }, 39: { fg: null }, 49: { bg: null },
};

/** Decodes one stream; keeps its style, and a sequence that has not ended. */
export class Decoder {
  #style = PLAIN;
  #kept = "";

  /** @param {string} text @returns {Piece[]} */
  feed(text) {
    const all = this.#kept + text;
    this.#kept = all.match(UNFINISHED)?.[0] ?? "";
    return this.#pieces(all.slice(0, all.length - this.#kept.length));
  }

  /** What is left when nothing follows. @returns {Piece[]} */
  end() {
    const kept = this.#kept;
    this.#kept = "";
    return this.#pieces(kept);
  }

  /** @param {string} text @returns {Piece[]} */
  #pieces(text) {
    /** @type {Piece[]} */
    const pieces = [];
    const add = (/** @type {string} */ piece, mark = false) => {
      if (piece) pieces.push({ text: piece, style: this.#style, mark });
    };
    let from = 0;
    for (const found of text.matchAll(SPECIAL)) {
      add(text.slice(from, found.index));
      from = found.index + found[0].length;
      if (found[1] !== undefined) this.#style = restyled(this.#style, found[1]);
      else if (found[0] === "\r\n") add("\n");
      else add(visible(found[0]), true);
    }
    add(text.slice(from));
    return pieces;
  }
}

/** The sign that stands for a character without one. @param {string} character */
export function visible(character) {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code === 0x7f ? "\u2421" : `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
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
