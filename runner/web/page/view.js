/** What a run does to the page: status, clock, output, the terminal, figures. */

import { byId, element } from "./dom.js";
import { Output } from "./output.js";
import * as results from "./results.js";
import { createTerminal } from "./terminal.js";
import { bytes, ending, limitsOf, reached, seconds, waiting } from "./words.js";

/** @typedef {{title: string, limits: Record<string, number>}} Language */

const PHASES = { queued: "Waiting for a container", compile: "Compiling", run: "Running", refused: "Waiting" };
const run = byId("run", HTMLButtonElement);
const stop = byId("stop", HTMLButtonElement);
const status = byId("status", HTMLElement);
const clock = byId("clock", HTMLElement);
const box = byId("console", HTMLElement);
const host = byId("terminal", HTMLElement);
const keys = byId("keys", HTMLElement);
const facts = byId("facts", HTMLElement);
const output = new Output(box);

/** Made for the first live run. @type {ReturnType<typeof createTerminal>|null} */
let terminal = null;
let typed = (/** @type {string} */ _text) => {};
let resized = (/** @type {import("./terminal.js").Size} */ _size) => {};
let phase = "";
let open = false;
let printed = false;
/** Seconds that the program has. */
let most = 0;
let began = 0;
let timer = 0;

/** @param {string} kind idle, busy, success, timeout, failure, stopped or problem @param {string} text */
export function say(kind, text) {
  status.dataset.kind = kind;
  status.textContent = text;
}

/** A word in passing. @param {string} text */
export function toast(text) {
  const place = byId("toast", HTMLElement);
  place.textContent = text;
  window.setTimeout(() => place.textContent === text && (place.textContent = ""), 4000);
}

/** Who hears what is typed into the terminal, and how large it is.
 * @param {typeof typed} onTyped @param {typeof resized} onResized */
export function connect(onTyped, onResized) {
  [typed, resized] = [onTyped, onResized];
  byId("interrupt", HTMLButtonElement).onclick = () => press("\x03");
  byId("end", HTMLButtonElement).onclick = () => press("\x04");
}

/** @param {string} key */
function press(key) {
  terminal?.type(key);
  terminal?.focus();
}

/** The terminal's. */
export function size() {
  return terminal?.size() ?? [80, 24];
}

/** @param {boolean} live @param {Language} language */
export function begin(live, language) {
  [open, printed, phase, began] = [live, false, "", performance.now()];
  most = (live && language.limits.live_time) || language.limits.wall_time;
  output.clear();
  results.clear();
  facts.replaceChildren();
  host.hidden = !live;
  if (live) {
    terminal ??= createTerminal(host, (text) => typed(text), (size) => resized(size));
    terminal.begin();
  }
  busy(true);
  say("busy", "Sending");
  timer = window.setInterval(tick, 100);
}

/** @param {"refused"|"queued"|"compile"|"run"} name
 * @param {number} [place] in the line @param {number|null} [forecast] in seconds */
export function enter(name, place, forecast) {
  if (phase !== name) began = performance.now();
  phase = name;
  say("busy", place === undefined ? PHASES[name] : waiting(place, forecast ?? null));
  if (name !== "run" || !open) return;
  byId("most", HTMLElement).textContent = `The program has ${seconds(most)} in all, also while it waits for you.`;
  keys.hidden = false;
  for (const each of [keys, host]) each.scrollIntoView({ block: "nearest" }); // the focus does not: its place is hidden
  terminal?.focus();
}

/** A live program's output is its terminal's; the compiler's is not. @param {"stdout"|"stderr"} stream @param {string} text */
export function print(stream, text) {
  printed = true;
  if (open && phase === "run") terminal?.print(text);
  else output.add(phase === "compile" ? "compiler" : stream, text);
}

/** @param {any} result @param {Language} language */
export function result(result, language) {
  over();
  if (!printed) note("The program printed nothing.");
  for (const stream of ["stdout", "stderr"]) {
    if (result.truncated[stream]) note(`Only the first ${bytes(language.limits.output)} of ${stream} were kept.`);
  }
  const limits = limitsOf(language.limits, result.command ?? [], most);
  for (const words of reached(result, limits)) note(words);
  const kind = { success: "success", timeout: "timeout" }[/** @type {string} */ (result.status)] ?? "failure";
  say(kind, ending(result, limits));
  facts.replaceChildren(...figures(result));
  results.show(result.files ?? []);
}

/** A refusal, or a fault between here and the program. @param {{title: string, detail: string}} problem */
export function problem({ title, detail }) {
  over();
  say("problem", title);
  note(detail);
}

export function stopped() {
  const after = phase ? ` after ${seconds((performance.now() - began) / 1000)}` : "";
  over();
  say("stopped", `Stopped by you${after}`);
}

function over() {
  window.clearInterval(timer);
  clock.textContent = "";
  output.finish();
  terminal?.end();
  if (host.contains(document.activeElement) || keys.contains(document.activeElement)) run.focus();
  keys.hidden = true;
  busy(false);
}

/** A button that is disabled would lose the focus. @param {boolean} running */
function busy(running) {
  run.ariaDisabled = String(running);
  stop.ariaDisabled = String(!running);
}

/** The page's own words, set apart from the program's. @param {string} text */
function note(text) {
  box.append(element("p", { className: "note", textContent: text }));
}

function tick() {
  const passed = ((performance.now() - began) / 1000).toFixed(1);
  clock.textContent = phase === "run" ? `${passed} of ${seconds(most)}` : `${passed} s`;
}

/** @param {any} result */
function figures({ times, peak_memory: memory }) {
  const rows = [
    ["Time", times.wall, seconds], ["CPU", times.cpu, seconds], ["Memory", memory, bytes],
    ["Compiling", times.compile, seconds], ["Waiting", times.queued, seconds],
  ];
  const measured = rows.filter(([, value]) => value !== null && value !== undefined);
  return measured.map(([name, value, words]) => {
    return element("div", {}, element("dt", { textContent: name }), element("dd", { textContent: words(value) }));
  });
}
