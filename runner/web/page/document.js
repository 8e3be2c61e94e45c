/** The document as xterm.js has it. It writes `<style>` elements and style attributes, which the Content-Security-Policy
 * refuses; here these become sheets and properties, which it allows. All else is the page's document. */

/** @param {string} name */
function createElement(name) {
  if (name === "style") return sheetElement();
  const made = document.createElement(name);
  made.setAttribute = (attribute, value) => {
    if (attribute === "style") made.style.cssText = value;
    else Element.prototype.setAttribute.call(made, attribute, value);
  };
  return made;
}

/** What is written into it holds, but not as an element. */
function sheetElement() {
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  const set = (/** @type {string} */ css) => void sheet.replaceSync(css);
  return Object.defineProperty(document.createElement("template"), "textContent", { set });
}

const own = new Proxy(document, {
  get(real, name) {
    const value = name === "createElement" ? createElement : Reflect.get(real, name);
    return typeof value === "function" ? value.bind(real) : value;
  },
});
export { own as document };
