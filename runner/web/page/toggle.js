/** The button that changes the theme: the system's, light, dark. theme.js puts it back at the next visit. */

const THEMES = ["system", "light", "dark"];

/** @param {HTMLButtonElement} button */
export function themeButton(button) {
  const { dataset } = document.documentElement;
  const name = () => (button.textContent = `Theme: ${dataset.theme}`);
  button.onclick = () => {
    dataset.theme = THEMES[(THEMES.indexOf(dataset.theme ?? "") + 1) % THEMES.length];
    name();
    try {
      localStorage.setItem("theme", dataset.theme);
    } catch {
      // storage is switched off: the choice holds until the page is left
    }
  };
  name();
}
