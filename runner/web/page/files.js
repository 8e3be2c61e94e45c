/** Files as they are sent and come back: text, or base64 where they are not UTF-8. Nothing here touches the page. */

import { decode, encode } from "./base64.js";
import { plain } from "./reveal.js";
import { bytes } from "./words.js";

/** @typedef {string|{base64: string}} Content */
/** @typedef {{name: string, content: Content}} Named */

/** @param {string} name @param {Uint8Array} data @returns {Named} */
export function fileOf(name, data) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
    return { name, content: text };
  } catch {
    return { name, content: { base64: encode(data) } };
  }
}

/** @param {Content} content @returns {Uint8Array<ArrayBuffer>} */
export function bytesOf(content) {
  return typeof content === "string" ? new TextEncoder().encode(content) : decode(content.base64);
}

/** Bytes. @param {Content} content */
export function sizeOf(content) {
  if (typeof content === "string") return new TextEncoder().encode(content).length;
  return (content.base64.length / 4) * 3 - (content.base64.match(/=+$/)?.[0].length ?? 0);
}

/** Of all of them together. @param {Named[]} files */
export function total(files) {
  return files.reduce((sum, { content }) => sum + sizeOf(content), 0);
}

/** Why they cannot be sent as they are, a sentence each. @param {Named[]} files @param {Record<string, number>} limits */
export function problems(files, limits) {
  const names = files.map(({ name }) => name);
  const twice = new Set(names.filter((name, index) => name && names.indexOf(name) !== index));
  const size = total(files);
  return [
    names.includes("") && "A file has no name.",
    ...[...twice].map((name) => `Two files have the name ${plain(name)}.`),
    files.length > limits.files && `There are ${files.length} files: ${limits.files} is the limit.`,
    size > limits.file_bytes && `The files have ${bytes(size)} together: ${bytes(limits.file_bytes)} is the limit.`,
  ].filter((said) => typeof said === "string");
}

/** By name, as the server takes them. @param {Named[]} files */
export function asSent(files) {
  return Object.fromEntries(files.map(({ name, content }) => [name, content]));
}
