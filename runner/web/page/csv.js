/** The beginning of a table of text. Nothing here touches the page. */

/** What a table shows of it, and how much there is. @typedef {{rows: string[][], total: {rows: number, columns: number}}} Table */

/** So much of it is read by people. */
export const MOST = { rows: 100, columns: 20, letters: 200 };

/** RFC 4180, and whatever comes near: a quote without an end takes the rest. @param {string} text
 * @param {","|"\t"} separator @returns {Table} */
export function parse(text, separator) {
  /** @type {string[][]} */
  const shown = [];
  let [rows, columns, column] = [0, 0, 0];
  for (const { cell, last } of cells(text.replace(/^\ufeff/, ""), separator)) {
    if (rows < MOST.rows && column < MOST.columns) (shown[rows] ??= []).push(shortened(cell));
    column += 1;
    columns = Math.max(columns, column);
    if (last) [rows, column] = [rows + 1, 0];
  }
  return { rows: shown, total: { rows, columns } };
}

/** @param {string} text @param {string} separator */
function* cells(text, separator) {
  const plain = separator === "," ? /[^,\r\n]*/y : /[^\t\r\n]*/y;
  const end = /\r\n|\r|\n|$/y;
  for (let at = 0; at < text.length; ) {
    const { quoted, after } = opening(text, at);
    plain.lastIndex = after;
    const cell = quoted + plain.exec(text)?.[0];
    end.lastIndex = plain.lastIndex;
    const line = end.exec(text);
    yield { cell, last: line !== null };
    at = plain.lastIndex + (line ? line[0].length : 1);
    if (!line && at === text.length) yield { cell: "", last: true }; // the text ends with a separator
  }
}

/** The quoted part with which the cell begins, perhaps none, and where it goes on behind that.
 * @param {string} text @param {number} from */
function opening(text, from) {
  if (text[from] !== '"') return { quoted: "", after: from };
  let end = text.indexOf('"', from + 1);
  while (end !== -1 && text[end + 1] === '"') end = text.indexOf('"', end + 2);
  const quoted = text.slice(from + 1, end === -1 ? text.length : end).replaceAll('""', '"');
  return { quoted, after: end === -1 ? text.length : end + 1 };
}

/** @param {string} cell */
function shortened(cell) {
  return cell.length > MOST.letters ? `${cell.slice(0, MOST.letters)}…` : cell;
}
