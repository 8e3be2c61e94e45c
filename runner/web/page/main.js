/** The page: which button does what. */

import { shellLine, showLine, showTable, verification } from "./command.js";
import { byId } from "./dom.js";
import * as key from "./key.js";
import * as program from "./program.js";
import { plain } from "./reveal.js";
import { runClosed, runOpen } from "./run.js";
import { themeButton } from "./toggle.js";
import * as view from "./view.js";
import { memoryOf, seconds } from "./words.js";

/** @typedef {{language: string, title: string, limits: Record<string, number>}} Language */

const LAST = "This is the command of your last run, word for word as the process table had it.";
const NEXT = "This starts the container of your program; what is in braces is filled in at each start.";
const NONE = "The command stands here after the first run, word for word.";

/** @type {Map<string, Language>} */
const languages = new Map();
/** The policy of the chosen language, where the server tells it. @type {import("./command.js").Policy|null} */
let policy = null;
/** The command of each language's last run. @type {Map<string, string[]>} */
const ran = new Map();
/** The run that is going on. @type {import("./run.js").Run|null} */
let going = null;

/** @returns {Language} */
function language() {
  return /** @type {Language} */ (languages.get(program.chosen()));
}

function start() {
  if (going || !languages.size) return;
  const { job, open, problem } = program.job();
  const chosen = language();
  view.begin(open, chosen);
  if (problem) return view.problem({ title: "Nothing was sent", detail: problem });
  /** @type {import("./run.js").Listener} */
  const tell = (event, data) => {
    if (going === run) heard(event, data, chosen);
  };
  const run = open ? runOpen({ ...job, size: view.size() }, tell) : runClosed(job, tell);
  going = run;
  const broken = { title: "The connection broke", detail: "The server cannot be reached, or it went away before the program ended." };
  run.ended.catch(() => {}).then(() => {
    if (going === run) heard("problem", broken, chosen);
  });
}

/** @param {string} event @param {any} data @param {Language} chosen */
function heard(event, data, chosen) {
  if (event === "phase") view.enter(data.phase);
  if (event === "stdout" || event === "stderr") view.print(event, data.text);
  if (event !== "result" && event !== "problem") return;
  going = null;
  if (event === "problem") return refused(data);
  view.result(data, chosen);
  ran.set(chosen.language, data.command);
  showPolicy();
}

/** @param {{title: string, detail: string, status?: number}} problem */
function refused(problem) {
  view.problem(problem);
  if (problem.status === 401) key.ask();
}

function stop() {
  if (!going) return;
  const run = going;
  going = null; // what still comes is not shown
  run.stop();
  view.stopped();
}

async function share() {
  const link = await program.link();
  const row = byId("share-row", HTMLElement);
  const field = byId("share-link", HTMLInputElement);
  row.hidden = false;
  field.value = link?.address ?? "This program is too long for a link.";
  const left = link?.left.map(plain).join(", ");
  byId("share-left", HTMLElement).textContent = left ? ` Not in it, because they are not text or make it too long: ${left}.` : "";
  field.select();
  field.focus();
  if (link) copy(link.address, "The link is copied");
}

/** Browsers allow this on https and localhost; elsewhere the text can be selected. @param {string} text @param {string} said */
function copy(text, said) {
  navigator.clipboard?.writeText(text).then(() => view.toast(said), () => view.toast("This browser does not copy: select it"));
}

/** Asks what the chosen language is run with, and what of it has been verified by now. */
async function showPolicy() {
  const name = language().language;
  if (policy?.language !== name) policy = null;
  showCommand();
  const answer = await fetch(`/policies/${name}`).catch(() => null);
  const found = answer?.ok ? await answer.json() : null;
  if (name !== language().language) return; // another was chosen meanwhile
  policy = found;
  showCommand();
}

/** The command of the last run; before that, what the policy says it will be. */
function showCommand() {
  const last = ran.get(language().language);
  const argv = last ?? policy?.command ?? [];
  const most = [seconds(language().limits.wall_time), memoryOf(argv)].filter(Boolean).join(" and ");
  byId("limits", HTMLElement).textContent = `at most ${most}`;
  const about = last ? LAST : policy ? NEXT : NONE;
  byId("command-about", HTMLElement).textContent = [about, verification(policy)].filter(Boolean).join(" ");
  byId("copy", HTMLButtonElement).hidden = !argv.length;
  byId("copy", HTMLButtonElement).onclick = () => copy(shellLine(argv), "The command is copied");
  showLine(byId("command-line", HTMLElement), argv);
  showTable(byId("command", HTMLElement), argv, policy);
}

/** Before the editor hears of it, which has a meaning of its own for these keys. @param {KeyboardEvent} event */
function shortcut(event) {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
  event.preventDefault();
  event.stopPropagation();
  start();
}

function wire() {
  byId("run", HTMLButtonElement).onclick = start;
  byId("stop", HTMLButtonElement).onclick = stop;
  view.connect((text) => going?.type(text), (size) => going?.resize(size));
  byId("share", HTMLButtonElement).onclick = share;
  byId("share-close", HTMLButtonElement).onclick = () => {
    byId("share-row", HTMLElement).hidden = true;
    byId("share", HTMLButtonElement).focus();
  };
  document.addEventListener("keydown", shortcut, { capture: true });
}

async function load() {
  const answer = await fetch("/languages").catch(() => null);
  if (!answer?.ok) return view.problem({ title: "The server cannot be reached", detail: "Reload the page to try again." });
  const { languages: found, key_required: wanted } = await answer.json();
  for (const each of found) languages.set(each.language, each);
  if (wanted) key.show();
  const linked = await program.begin([...languages.values()], showPolicy);
  view.say("idle", linked ? "Opened from a link, nothing was sent: read it, then run it" : "");
  await showPolicy();
}

themeButton(byId("theme", HTMLButtonElement));
wire();
await load();
