/** Text is what it looks like: what hides, or hides something, becomes a visible sign. Nothing here touches the page. */

/** Bidi, invisible, tags. */
const HIDDEN =
  /[\xad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;
/** Stands upon the letter before it. */
const MARK = /[\p{M}\u1160-\u11ff\u200c\u200d]/u;
/** So many marks a letter has in Unicode's stream-safe format; a browser would draw thousands for seconds. */
export const HIGHEST = 30;

/** Reads one stream, which may come in pieces. */
export class Revealer {
  #marks = 0;

  /** What is shown of a character: itself, a sign, or nothing, where one sign stands for many. @param {string} character */
  show(character) {
    this.#marks = MARK.test(character) ? this.#marks + 1 : 0;
    if (this.#marks > HIGHEST + 1) return "";
    return this.#marks > HIGHEST ? visible(character) : revealed(character);
  }
}

/** Without what hides. @param {string} text */
export function revealed(text) {
  return text.replace(HIDDEN, visible);
}

/** In one line, as a name or a cell of a table is: line ends and all other control characters are signs, too. @param {string} text */
export function plain(text) {
  const revealer = new Revealer();
  return Array.from(text, (each) => (/[\0-\x1f\x7f-\x9f]/.test(each) ? visible(each) : revealer.show(each))).join("");
}

/** The sign that stands for a character without one. @param {string} character */
export function visible(character) {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code === 0x7f ? "\u2421" : `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}
