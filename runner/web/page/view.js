/** What a run does to the page: status, clock, output, the line for answers, figures. */

import { byId, element } from "./dom.js";
import { Output } from "./output.js";
import { bytes, ending, memoryOf, seconds } from "./words.js";

/** @typedef {{title: string, limits: Record<string, number>}} Language */

const PHASES = { queued: "Waiting for a container", compile: "Compiling", run: "Running" };
const run = byId("run", HTMLButtonElement);
const stop = byId("stop", HTMLButtonElement);
const status = byId("status", HTMLElement);
const clock = byId("clock", HTMLElement);
const box = byId("console", HTMLElement);
const answer = byId("answer", HTMLFormElement);
const line = byId("line", HTMLInputElement);
const facts = byId("facts", HTMLElement);
const output = new Output(box);

let phase = "";
let open = false;
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

/** @param {boolean} keepOpen @param {Language} language */
export function begin(keepOpen, language) {
  [open, phase, began] = [keepOpen, "", performance.now()];
  output.clear();
  facts.replaceChildren();
  box.setAttribute("aria-live", keepOpen ? "polite" : "off");
  busy(true);
  say("busy", "Sending");
  timer = window.setInterval(() => tick(language.limits.wall_time), 100);
}

/** @param {"queued"|"compile"|"run"} name @param {number} wall */
export function enter(name, wall) {
  phase = name;
  began = performance.now();
  say("busy", PHASES[name]);
  if (name !== "run" || !open) return;
  byId("answer-hint", HTMLElement).textContent =
    `Enter sends a line. The program has ${seconds(wall)} in all, also while it waits for you.`;
  answer.hidden = false;
  line.focus();
}

/** @param {"stdout"|"stderr"} stream @param {string} text */
export function print(stream, text) {
  output.add(phase === "compile" ? "compiler" : stream, text);
}

/** What the person typed. @returns {string} */
export function takeLine() {
  const text = `${line.value}\n`;
  line.value = "";
  output.add("typed", text);
  return text;
}

/** No more input: the line goes, and the focus with it. */
export function closeLine() {
  if (answer.contains(document.activeElement)) run.focus();
  answer.hidden = true;
}

/** @param {any} result @param {Language} language */
export function result(result, language) {
  over();
  if (!box.hasChildNodes()) note("The program printed nothing.");
  for (const stream of ["stdout", "stderr"]) {
    if (result.truncated[stream]) note(`Only the first ${bytes(language.limits.output)} of ${stream} were kept.`);
  }
  const kind = { success: "success", timeout: "timeout" }[/** @type {string} */ (result.status)] ?? "failure";
  say(kind, ending(result, limitsOf(language, result.command ?? [])));
  facts.replaceChildren(...figures(result));
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
  closeLine();
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

/** @param {number} wall */
function tick(wall) {
  const passed = ((performance.now() - began) / 1000).toFixed(1);
  clock.textContent = phase === "run" ? `${passed} of ${seconds(wall)}` : `${passed} s`;
}

/** @param {Language} language @param {string[]} command */
function limitsOf({ limits }, command) {
  return {
    wall: limits.wall_time, compile: limits.compile_time, total: limits.total_time, output: limits.output,
    memory: memoryOf(command) ?? "its share",
  };
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
