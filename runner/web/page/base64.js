/** Bytes as text and back. */

/** @param {Uint8Array} bytes */
export function encode(bytes) {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** @param {string} text */
export function decode(text) {
  return Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
}
