/** The terminal of a live run: xterm.js, without what a program could do with it beyond printing. */

import { revealed } from "./reveal.js";
import { document as own } from "./document.js";
import { quieten } from "./quiet.js";
import { FitAddon, Terminal } from "./vendor/xterm/xterm.js";
import { limitMarks } from "./widths.js";

/** Columns and rows. @typedef {[number, number]} Size */

const NAMES = [
  "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white", "brightBlack", "brightRed", "brightGreen",
  "brightYellow", "brightBlue", "brightMagenta", "brightCyan", "brightWhite",
];
const MODIFIERS = ["Shift", "Control", "Alt", "Meta"];
const SCROLLING = ["PageUp", "PageDown"];
/** Milliseconds after which an Escape was meant for the program. */
const PATIENCE = 1000;
/** What is parsed at a time: between two pieces the page can breathe. */
const PIECE = 1024;

/** @param {HTMLElement} host visible @param {(text: string) => void} typed @param {(size: Size) => void} resized */
export function createTerminal(host, typed, resized) {
  Terminal.strings.promptLabel = "Terminal. Escape, then Tab, leaves it.";
  const { fontFamily, fontSize } = getComputedStyle(host);
  const terminal = new Terminal({
    documentOverride: own, screenReaderMode: true, logLevel: "off", scrollback: 10_000, altClickMovesCursor: false, lineHeight: 1.2,
    minimumContrastRatio: 4.5, fontFamily, fontSize: parseFloat(fontSize), theme: theme(host),
    allowProposedApi: true, // for `unicode`
  });
  const fit = new FitAddon();
  quieten(terminal.parser);
  limitMarks(terminal);
  terminal.loadAddon(fit);
  terminal.open(host);
  fit.fit();
  terminal.attachCustomKeyEventHandler(keys(terminal));
  takePicked(terminal);
  terminal.onData(typed);
  terminal.onResize((/** @type {{cols: number, rows: number}} */ { cols, rows }) => resized([cols, rows]));
  new ResizeObserver(() => fit.fit()).observe(host);
  const recolour = () => (terminal.options.theme = theme(host));
  new MutationObserver(recolour).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  return {
    focus: () => terminal.focus(),
    /** As if it had been typed. @param {string} text */
    type: (text) => terminal.input(text),
    /** @returns {Size} */
    size: () => [terminal.cols, terminal.rows],
    /** Empty, and typed into. */
    begin() {
      terminal.options.disableStdin = false;
      terminal.write("\x1bc"); // after what the last run may still have to print
    },
    /** @param {string} text */
    print(text) {
      const shown = revealed(text);
      for (let at = 0; at < shown.length; at += PIECE) terminal.write(shown.slice(at, at + PIECE));
    },
    end: () => (terminal.options.disableStdin = true),
  };
}

/** Whether a key is the terminal's, or the browser's. @param {any} terminal */
function keys(terminal) {
  const leaving = escape(terminal);
  return (/** @type {KeyboardEvent} */ event) => {
    if (event.type !== "keydown" || event.isComposing) return true;
    if (terminal.options.disableStdin) return event.shiftKey && SCROLLING.includes(event.key);
    if (leaving(event)) return false;
    const ctrl = event.ctrlKey && !event.shiftKey && !event.altKey && !event.metaKey;
    if (ctrl && event.key === "c" && terminal.hasSelection()) {
      window.setTimeout(() => terminal.clearSelection()); // when it has been copied: the next one is the program's
      return false;
    }
    return !(ctrl && event.key === "v"); // the browser pastes
  };
}

/** Escape waits: a Tab after it, however late, leaves the terminal; another key, or a second, sends it.
 * @param {any} terminal */
function escape(terminal) {
  let [waiting, armed] = [0, false];
  const settle = (/** @type {boolean} */ send) => {
    if (waiting && send) terminal.input("\x1b");
    window.clearTimeout(waiting);
    waiting = 0;
  };
  terminal.textarea.addEventListener("blur", () => settle((armed = false)));
  return (/** @type {KeyboardEvent} */ event) => {
    if (MODIFIERS.includes(event.key)) return false;
    const leaves = armed && event.key === "Tab";
    armed = event.key === "Escape";
    settle(!leaves);
    if (armed) waiting = window.setTimeout(settle, PATIENCE, true);
    return leaves || armed;
  };
}

/** Text that comes without a key, as from a list of emoji or by dictation: for screen readers' sake xterm.js leaves it
 * to the browser. @param {any} terminal */
function takePicked(terminal) {
  let down = false;
  terminal.textarea.addEventListener("keydown", (/** @type {KeyboardEvent} */ { key }) => (down = !MODIFIERS.includes(key)));
  terminal.textarea.addEventListener("keyup", () => (down = false));
  terminal.textarea.addEventListener("input", (/** @type {InputEvent} */ { inputType, data }) => {
    if (inputType === "insertText" && data && !down) terminal.input(data);
  });
}

/** The page's colours, as they are now. @param {HTMLElement} host */
function theme(host) {
  const probe = host.appendChild(document.createElement("i"));
  const colour = (/** @type {string} */ name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const found = {
    background: colour("field"), foreground: colour("text"), cursor: colour("text"), cursorAccent: colour("field"),
    selectionBackground: colour("match"), scrollbarSliderBackground: colour("border"),
    scrollbarSliderHoverBackground: colour("control"), scrollbarSliderActiveBackground: colour("control"),
    ...Object.fromEntries(NAMES.map((name, number) => [name, colour(`ansi-${number}`)])),
  };
  probe.remove();
  return found;
}
