/** Pictures that a program has made, drawn as images, in which no script runs and nothing is loaded. */

import { element } from "./dom.js";

const SVG = "image/svg+xml";
export const KINDS = ["image/png", "image/jpeg", "image/gif", "image/webp", SVG];
/** A compressed one of some KB can have so many that the browser has no memory left. */
const PIXELS = 16_000_000;
/** What makes much out of little: ten shapes that repeat ten others, ten times over, hold a browser for minutes. */
const MULTIPLIES = /\b(use|pattern|marker|mask|clip-?path|filter|image|feimage)\b|<!ENTITY|encoding=(?!["']utf-8)/i;

/** In its place stands a word, where it is none or too large, or a button. @param {string} type one of KINDS
 * @param {import("./files.js").Content} content @param {Uint8Array<ArrayBuffer>} data @param {string} alt */
export function picture(type, content, data, alt) {
  const box = element("div", { className: "picture", tabIndex: -1 });
  const draw = () => void drawn(new Blob([data], { type }), alt).then((made) => box.replaceChildren(made));
  const costly = type === SVG && (typeof content !== "string" || MULTIPLIES.test(content));
  if (costly) box.append(asking(() => (box.focus(), draw())));
  else draw();
  return box;
}

/** The address is gone once the image is there: opened in a tab, an SVG would be a page of this site.
 * @param {Blob} blob @param {string} alt @returns {Promise<HTMLElement>} */
async function drawn(blob, alt) {
  const image = element("img", { alt, decoding: "async", src: URL.createObjectURL(blob) });
  const shows = await new Promise((resolve) => {
    image.onload = () => resolve(true);
    image.onerror = () => resolve(false);
  });
  URL.revokeObjectURL(image.src);
  if (!shows) return element("p", { textContent: "This is not the picture that its name says." });
  const { naturalWidth: width, naturalHeight: height } = image;
  if (blob.type === SVG || width * height <= PIXELS) return image;
  return element("p", { textContent: `${width} × ${height} pixels are too many to be shown here.` });
}

/** @param {() => void} draw */
function asking(draw) {
  const button = element("button", { type: "button", textContent: "Draw it", onclick: draw });
  return element("p", {}, "This drawing may repeat or filter shapes, which can hold up the page. ", button);
}
