// The colours of languages without a parser of their own in codemirror.js, by the names of their policies. Asked for when
// the first of them is opened.
import { clike, csharp, java } from "@codemirror/legacy-modes/mode/clike";
export { csharp, java };
export { go } from "@codemirror/legacy-modes/mode/go";
export { haskell } from "@codemirror/legacy-modes/mode/haskell";
export { javascript, typescript } from "@codemirror/legacy-modes/mode/javascript";
export { lua } from "@codemirror/legacy-modes/mode/lua";
export { pascal } from "@codemirror/legacy-modes/mode/pascal";
export { perl } from "@codemirror/legacy-modes/mode/perl";
export { r } from "@codemirror/legacy-modes/mode/r";
export { ruby } from "@codemirror/legacy-modes/mode/ruby";
export { rust } from "@codemirror/legacy-modes/mode/rust";
export { shell as bash } from "@codemirror/legacy-modes/mode/shell";
export { sqlite as sql } from "@codemirror/legacy-modes/mode/sql";

const words = (text) => Object.fromEntries(text.split(" ").map((word) => [word, true]));
const after = (pattern, kind) => (stream) => stream.match(pattern) ? kind : false;

// There is none for PHP, which looks enough like the others.
export const php = clike({
  name: "php",
  keywords: words(
    "abstract and array as break case catch class clone const continue declare default do echo else elseif enum extends "
    + "final finally fn for foreach function global if implements include include_once instanceof insteadof interface "
    + "match namespace new or print private protected public readonly require require_once return static switch throw "
    + "trait try use var while xor yield exit isset unset empty list",
  ),
  types: words("int float string bool mixed void iterable object callable self never"),
  blockKeywords: words("catch do else elseif for foreach if switch try while finally"),
  defKeywords: words("class enum function interface namespace trait"),
  atoms: words("true false null TRUE FALSE NULL __FILE__ __LINE__ __DIR__ __CLASS__ __FUNCTION__"),
  multiLineStrings: true,
  hooks: {
    $: after(/^\w+/, "variableName.special"),
    "#": (stream) => { stream.skipToEnd(); return "comment"; },
    "<": after(/^\?(?:php\b|=)?/, "meta"),
    "?": after(/^>/, "meta"),
  },
});
