/** A program as a link: it stands in the part after the #, which a browser keeps to itself. */

/** @typedef {{language: string, code: string, input: string, open: boolean}} Program */

const PREFIX = "#program=";
/** Longer ones are cut by some of the ways by which links travel. */
const LONGEST = 64_000;
/** What a link may unpack to: above the largest code and input that the server takes. */
const LARGEST = 4 * 1024 ** 2;

/** The fragment of a program; null if it is too long for a link. @param {Program} program */
export async function pack(program) {
  const { language, code, input, open } = program;
  const text = new Blob([JSON.stringify([language, code, input, open])]).stream();
  const packed = await new Response(text.pipeThrough(new CompressionStream("deflate-raw"))).arrayBuffer();
  const fragment = PREFIX + base64url(new Uint8Array(packed));
  return fragment.length > LONGEST ? null : fragment;
}

/** The program of a fragment; null if there is none in it. @param {string} fragment @returns {Promise<Program|null>} */
export async function unpack(fragment) {
  if (!fragment.startsWith(PREFIX)) return null;
  try {
    const packed = new Blob([bytesOf(fragment.slice(PREFIX.length))]).stream();
    const text = await limited(packed.pipeThrough(new DecompressionStream("deflate-raw")));
    return checked(JSON.parse(text));
  } catch {
    return null; // not a link of ours, or a damaged one
  }
}

/** @param {any} value @returns {Program|null} */
function checked(value) {
  const [language, code, input, open] = value;
  const strings = [language, code, input].every((item) => typeof item === "string");
  return strings ? { language, code, input, open: open === true } : null;
}

/** @param {ReadableStream<Uint8Array>} stream */
async function limited(stream) {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let [text, size] = ["", 0];
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    size += next.value.length;
    if (size > LARGEST) throw new RangeError("unpacks to too much");
    text += decoder.decode(next.value, { stream: true });
  }
  return text + decoder.decode();
}

/** @param {Uint8Array} data */
function base64url(data) {
  const binary = Array.from(data, (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {string} text */
function bytesOf(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
}
