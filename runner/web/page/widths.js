/** How many columns a character takes in the terminal, and how many marks one letter may bear. */

import { HIGHEST } from "./reveal.js";
import { Unicode11Addon } from "./vendor/xterm/xterm.js";

/** Unicode 11's widths. A browser takes seconds to draw some thousands of marks upon one letter: those above the limit
 * stand by themselves, and so do those that follow no letter. @param {any} terminal */
export function limitMarks(terminal) {
  /** @type {{wcwidth: (code: number) => number}} */
  let base = { wcwidth: () => 1 };
  new Unicode11Addon().activate({ unicode: { register: (/** @type {typeof base} */ found) => (base = found) } });
  terminal.unicode.register({
    version: "limited",
    wcwidth: (/** @type {number} */ code) => base.wcwidth(code),
    /** In xterm.js's bits: marks so far, columns, whether it joins. @param {number} code @param {number} before */
    charProperties(code, before) {
      const columns = base.wcwidth(code);
      const marks = before >> 3;
      if (columns) return columns << 1;
      if (!before || marks >= HIGHEST) return (HIGHEST << 3) | (1 << 1);
      return ((marks + 1) << 3) | (before & 6) | 1;
    },
  });
  terminal.unicode.activeVersion = "limited";
}
