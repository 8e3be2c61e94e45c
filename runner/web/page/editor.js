/** The editor: CodeMirror in a shadow root, where it adds its styles as sheets; the Content-Security-Policy forbids elements. */

import {
  Compartment, EditorState, EditorView, HighlightStyle, StreamLanguage, bracketMatching, closeBrackets, closeBracketsKeymap, cpp,
  defaultKeymap, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, history, historyKeymap,
  indentOnInput, indentUnit, indentWithTab, keymap, lineNumbers, python, syntaxHighlighting, tags,
} from "./vendor/codemirror.js";

/** Those that have a parser. @type {Record<string, () => unknown>} */
const LANGUAGES = { python, "python-data": python, cpp, c: cpp };

/** The colours of a language; without any where there is neither a parser nor a mode. @param {string} name */
async function coloursOf(name) {
  if (Object.hasOwn(LANGUAGES, name)) return LANGUAGES[name]();
  /** @type {Record<string, unknown>} */
  const modes = await import("./vendor/modes.js");
  return Object.hasOwn(modes, name) ? StreamLanguage.define(modes[name]) : [];
}

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string), tags.character], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom, tags.escape], color: "var(--code-number)" },
  { tag: [tags.comment], color: "var(--code-comment)", fontStyle: "italic" },
  { tag: [tags.typeName, tags.className, tags.namespace], color: "var(--code-type)" },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], color: "var(--code-function)" },
  { tag: [tags.processingInstruction, tags.meta], color: "var(--code-meta)" },
]);

const look = EditorView.theme({
  "&": { height: "100%", color: "var(--text)", backgroundColor: "var(--field)", fontSize: "var(--code-size)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6", overflow: "auto" },
  ".cm-content": { caretColor: "var(--accent)", padding: "0.75rem 0" },
  ".cm-line": { padding: "0 1rem 0 0.75rem" },
  ".cm-gutters": { backgroundColor: "var(--field)", color: "var(--quiet)", border: "none", paddingLeft: "0.5rem" },
  ".cm-activeLine": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLine, &.cm-focused .cm-activeLineGutter": { backgroundColor: "var(--line)" },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--text)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--match)", outline: "1px solid var(--border)" },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "transparent", color: "var(--bad)" },
  ".cm-specialChar": { color: "var(--bad)" },
});

/** Typing over a selection: done here, because a browser that merges lines keeps their look in style attributes, which
 * the Content-Security-Policy refuses. Not while a character is composed: that cannot be taken over. */
const typeOver = EditorView.domEventHandlers({
  beforeinput(/** @type {InputEvent} */ event, /** @type {any} */ view) {
    const { inputType, isComposing, data: text } = event;
    const { from, to, empty } = view.state.selection.main;
    if (inputType !== "insertText" || isComposing || text === null || empty) return false;
    event.preventDefault();
    const insert = () => {
      return view.state.update(view.state.replaceSelection(text), { userEvent: "input.type", scrollIntoView: true });
    };
    const handlers = view.state.facet(EditorView.inputHandler);
    if (!handlers.some((/** @type {any} */ handle) => handle(view, from, to, text, insert))) view.dispatch(insert());
    return true;
  },
});

/** @param {HTMLElement} host @param {() => void} changed called after each change that a person makes */
export function createEditor(host, changed) {
  const language = new Compartment();
  const extensions = [
    lineNumbers(), highlightActiveLine(), highlightActiveLineGutter(), highlightSpecialChars(), history(),
    indentOnInput(), indentUnit.of("    "), bracketMatching(), closeBrackets(), syntaxHighlighting(colours), look, typeOver,
    EditorView.lineWrapping, language.of([]),
    EditorView.contentAttributes.of({ "aria-label": "Code. Escape, then Tab, leaves the editor.", id: "code", tabindex: "0" }),
    EditorView.updateListener.of((/** @type {any} */ update) => {
      if (update.transactions.some((/** @type {any} */ each) => each.isUserEvent("input") || each.isUserEvent("delete"))) changed();
    }),
    keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
  ];
  let shown = "";
  const root = host.attachShadow({ mode: "open" });
  const view = new EditorView({ parent: root, root });
  return {
    text: () => view.state.doc.toString(),
    focus: () => view.focus(),
    /** A new document, with a history of its own. @param {string} name @param {string} text */
    open(name, text) {
      view.setState(EditorState.create({ doc: text, extensions }));
      shown = name;
      coloursOf(name).then((found) => {
        if (shown === name) view.dispatch({ effects: language.reconfigure(found) });
      }, () => {}); // without colours it can be edited, too
    },
  };
}
