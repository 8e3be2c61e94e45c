/** Takes from a terminal whatever is not printing: answers to the program, titles, links, colours, the mouse, floods. */

/** Questions that a terminal answers by typing: what are you, how are you, where is the cursor, which modes are on, how
 * large is the window. */
const QUESTIONS = [
  { final: "c" }, { prefix: ">", final: "c" }, { prefix: "=", final: "c" }, { final: "n" }, { prefix: "?", final: "n" },
  { intermediates: "$", final: "p" }, { prefix: "?", intermediates: "$", final: "p" }, { final: "t" },
  { prefix: ">", final: "q" },
];
/** Titles, colours, links, the clipboard, and colours once more. */
const STRINGS = [0, 1, 2, 4, 8, 10, 11, 12, 52, 104, 110, 111, 112];
/** Modes in which a terminal tells where the mouse is, and whether it has the focus. */
const TELLING = [9, 1000, 1001, 1002, 1003, 1004];
/** Done once for each of their number, which may be 2,147,483,647: tabs, lines, scrolling, repeating. */
const REPEATED = ["I", "Z", "L", "M", "S", "T", "b"];
/** No screen has so many lines or columns. */
const MOST = 256;

/** @param {any} parser xterm.js's, which asks the last handler first; true: it has been dealt with */
export function quieten(parser) {
  for (const id of QUESTIONS) parser.registerCsiHandler(id, () => true);
  for (const number of STRINGS) parser.registerOscHandler(number, () => true);
  parser.registerDcsHandler({ intermediates: "$", final: "q" }, () => true); // which settings are on
  parser.registerCsiHandler({ prefix: "?", final: "h" }, (/** @type {number[]} */ modes) => {
    return modes.some((mode) => TELLING.includes(mode));
  });
  for (const final of REPEATED) {
    parser.registerCsiHandler({ final }, (/** @type {number[]} */ [times]) => times > MOST);
  }
}
