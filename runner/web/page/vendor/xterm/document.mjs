// In the place of the global `document`: the page's own, which the bundle imports.
export { document } from "../../document.js";
