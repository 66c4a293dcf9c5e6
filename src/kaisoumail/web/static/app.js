// What pages gain with JavaScript: copying, modal details, ticking times. All work without.
(() => {
  "use strict";
  const words = JSON.parse(document.body.dataset.words);
  const all = (selector) => document.querySelectorAll(selector);
  const say = (text) => { document.getElementById("announce").textContent = text; };

  // Copying
  async function copy(button) {
    let told = words.copied;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      told = copyByHand(button.dataset.copy) ? words.copied : words.failed;
    }
    button.dataset.copied = told;
    say(told);
    setTimeout(() => delete button.dataset.copied, 1500);
  }

  // Over plain HTTP there is no clipboard API.
  function copyByHand(text) {
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "unseen";
    (document.querySelector("dialog[open]") || document.body).append(field);
    const focused = document.activeElement;
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    focused?.focus();
    return done;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
    for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });

  // `y` copies the code of the mail being read, else the newest one on the page.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const menu of all("details.menu[open]")) menu.open = false;
    const typing = event.target.closest("input, select, textarea, [contenteditable]");
    if (event.key !== "y" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const chip = document.querySelector(".reader .code, .row.mail[data-current] .code, .row[data-current] .code, .row .code");
    if (chip) copy(chip);
  });

  // Times
  function tick() {
    const now = Date.now();
    for (const time of all("time[data-ago]")) {
      const passed = (now - Date.parse(time.dateTime)) / 60000;
      const minutes = Math.floor(Math.abs(passed));
      const [unit, n] = minutes >= 1440 ? ["days", minutes / 1440] : minutes >= 60 ? ["hours", minutes / 60] : ["minutes", minutes];
      const span = words[unit].replace("{n}", Math.floor(n));
      const text = minutes < 1 ? words.now : words[passed > 0 ? "ago" : "in"].replace("{span}", span);
      if (time.textContent !== text) time.textContent = text;
      time.title = new Date(time.dateTime).toLocaleString(document.documentElement.lang);
    }
  }

  // Details: modal, Escape closes through the same link, focus goes back to the row.
  let focusAfter = null;
  function openDialog() {
    const dialog = document.querySelector("dialog[data-modal][open]");
    if (!dialog) {
      if (focusAfter) document.getElementById(focusAfter)?.focus();
      focusAfter = null;
    } else if (!dialog.matches(":modal")) {
      dialog.close();
      dialog.showModal();
      focusAfter = dialog.dataset.return;
      dialog.addEventListener("cancel", (event) => {
        event.preventDefault();
        dialog.querySelector("[data-close]").click();
      });
    }
  }

  function refresh() {
    tick();
    openDialog();
  }
  document.addEventListener("htmx:after:swap", refresh);
  setInterval(tick, 20000);
  refresh();
})();
