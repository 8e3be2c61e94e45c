/** The field for the program's arguments, and below it what will be sent. */

import { byId, element } from "./dom.js";
import { plain } from "./reveal.js";
import { sizeOf, split } from "./split.js";
import { bytes } from "./words.js";

/** So many are shown one by one. */
const SHOWN = 50;
const field = byId("args", HTMLInputElement);
const list = byId("args-sent", HTMLOListElement);
const said = byId("args-problem", HTMLElement);
/** Bytes that the language takes. */
let most = Infinity;

/** @param {() => void} changed called after each change that a person makes */
export function connect(changed) {
  field.oninput = () => (tell(), changed());
}

/** @param {string} text @param {number} limit bytes */
export function show(text, limit) {
  [field.value, most] = [text, limit];
  tell();
}

/** As it was written. */
export function text() {
  return field.value;
}

/** What is sent, and why it cannot be: "" where it can. */
export function current() {
  const { args, problem } = split(field.value);
  const size = sizeOf(args);
  if (problem) return { args, problem: `Arguments: ${problem}` };
  const over = `The arguments have ${bytes(size)}, each with its end: ${bytes(most)} is the limit.`;
  return { args, problem: size > most ? over : "" };
}

function tell() {
  const { args, problem } = current();
  const left = args.length - SHOWN;
  const shown = args.slice(0, SHOWN).map((each) => element("li", {}, element("code", { textContent: plain(each) || "''" })));
  list.replaceChildren(...shown, ...(left > 0 ? [element("li", { textContent: `and ${left} more` })] : []));
  list.hidden = !args.length;
  said.textContent = problem;
  field.ariaInvalid = String(problem !== "");
}
