// Before the first paint: the theme that was chosen the last time. Not a module, because modules wait for the page.
"use strict";
try {
  document.documentElement.dataset.theme = localStorage.getItem("theme") ?? "system";
} catch {
  document.documentElement.dataset.theme = "system"; // storage is switched off
}
