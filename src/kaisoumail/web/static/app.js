// Copy buttons, modal details, updating times. Every page works without this script.
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

  // `y` copies the code of the open message, else the newest one on the page.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const menu of all("details.menu[open]")) menu.open = false;
    const typing = event.target.closest("input, select, textarea, [contenteditable]");
    if (event.key !== "y" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const chip = document.querySelector(".reader .code, .row.mail[data-current] .code, .row[data-current] .code, .row .code");
    if (chip) copy(chip);
  });

  // Times
  const setText = (element, text) => { if (element.textContent !== text) element.textContent = text; };
  function since(time, now) {
    const passed = (now - Date.parse(time.dateTime)) / 1000;
    if (time.dataset.ago === "ahead" && passed >= 0) return words.soon;
    const seconds = Math.floor(Math.abs(passed));
    const least = time.dataset.ago ? 1 : 60;
    if (seconds < least) return words.now;
    const [unit, size] = seconds >= 86400 ? ["days", 86400] : seconds >= 3600 ? ["hours", 3600]
      : seconds >= 60 ? ["minutes", 60] : ["seconds", 1];
    const span = words[unit].replace("{n}", Math.floor(seconds / size));
    return words[passed > 0 ? "ago" : "in"].replace("{span}", span);
  }
  function tick() {
    const now = Date.now();
    for (const time of all("time[data-ago]")) {
      setText(time, since(time, now));
      time.title = new Date(time.dateTime).toLocaleString(document.documentElement.lang);
    }
    for (const time of all("time[data-left]")) {
      const left = Math.max(0, Math.ceil((Date.parse(time.dateTime) - now) / 1000));
      setText(time, words.seconds.replace("{n}", left));
      if (left === 0) retryAtZero(time.closest("[data-due]"));
    }
  }
  // A request refused by a rate limit is repeated when the limit ends, unless the user is typing or in a dialog.
  function retryAtZero(button) {
    const typing = document.activeElement?.matches("input, textarea") && document.activeElement.value;
    if (!button || button.dataset.due === "done" || document.hidden || document.querySelector("dialog:modal")) return;
    if (typing && !button.form?.contains(document.activeElement)) return;
    button.dataset.due = "done";
    button.click();
  }

  // Details: modal, Escape closes through the same link, focus returns to the row.
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

  // The check of a name may still be in flight when the name is submitted: it must not replace that answer.
  let sent = null;
  document.addEventListener("submit", (event) => {
    if (event.target.matches("form.bind")) sent = document.getElementById("domain").value;
  });
  document.addEventListener("input", () => { sent = null; });
  const isLate = (event) => event.target.id === "domain" && event.target.value === sent;
  for (const moment of ["htmx:before:request", "htmx:before:swap"]) {
    document.addEventListener(moment, (event) => { if (isLate(event)) event.preventDefault(); });
  }

  function refresh() {
    tick();
    openDialog();
  }
  document.addEventListener("htmx:after:swap", refresh);
  setInterval(tick, 1000);
  refresh();
})();
