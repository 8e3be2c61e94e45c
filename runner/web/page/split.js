/** One line of text as a program's arguments. Nothing here touches the page. */

const TOKEN =
  /(?<space>[ \t\n]+)|'(?<single>[^']*)'|"(?<double>(?:[^"\\]|\\[^])*)"|\\(?<escaped>[^])|(?<plain>[^ \t\n'"\\]+)|(?<broken>[^])/gu;

/** As a shell splits words: spaces part them, quotes and backslashes keep them together. Nothing is expanded. What comes
 * after a quote without an end is not in `args`; `problem` says so, and is "" where all is well.
 * @param {string} text @returns {{args: string[], problem: string}} */
export function split(text) {
  /** @type {string[]} */
  const args = [];
  /** @type {string|null} */
  let word = null;
  for (const { groups = {} } of text.matchAll(TOKEN)) {
    if (groups.broken) return { args, problem: unfinished(groups.broken) };
    if (groups.space !== undefined) {
      if (word !== null) args.push(word);
      word = null;
    } else {
      word = (word ?? "") + said(groups);
    }
  }
  if (word !== null) args.push(word);
  return { args, problem: "" };
}

/** @param {Record<string, string|undefined>} token */
function said({ single, double, escaped, plain }) {
  return single ?? double?.replace(/\\([$`"\\])/g, "$1") ?? escaped ?? plain ?? "";
}

/** @param {string} sign */
function unfinished(sign) {
  return sign === "\\" ? "There is nothing after the last \\." : `The quote ${sign} has no end.`;
}

/** Bytes, as the server counts them: each with its end. @param {string[]} args */
export function sizeOf(args) {
  return args.reduce((sum, each) => sum + new TextEncoder().encode(each).length + 1, 0);
}
