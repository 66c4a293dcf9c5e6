// Keeps the inbox up to date: by the server's events, or by polling when there are none. Also marks messages as read.
(() => {
  "use strict";
  const words = JSON.parse(document.body.dataset.words);
  const SETTLE = 60; // ms: a burst of events causes one poll
  const CHECK = 60000; // ms: even with events, one poll a minute detects a session that has ended
  const SEEN = 800; // ms on a visible page until a message counts as read
  const inbox = () => document.getElementById("poll");
  const isPoll = (event) => event.target instanceof Element && event.target.matches("[data-poll]");
  const isOpen = () => source?.readyState === EventSource.OPEN;

  // The status strip: live, reconnecting, polling, lost
  function mark(state) {
    const live = document.querySelector("[data-live]");
    if (!live) return;
    live.hidden = !document.querySelector("[data-poll]");
    live.dataset.live = state;
    live.querySelector("[data-live-text]").textContent = words[state];
  }

  // Events. A hidden page closes its connection (browsers allow six per host) and later continues from its cursor.
  let source = null;
  let place = "";
  function follow() {
    if (!inbox() || document.hidden) {
      source?.close();
      source = null;
    } else if (!source || source.readyState === EventSource.CLOSED) {
      source = new EventSource(place ? `/api/events?since=${place}` : "/api/events");
      for (const kind of ["ready", "message", "mailbox"]) source.addEventListener(kind, hear);
      source.addEventListener("open", () => mark("live"));
      source.addEventListener("error", lose);
    }
  }
  function hear(event) {
    place = event.lastEventId;
    look(); // after "ready" too: something may have changed between the page and its events
  }
  function lose() {
    mark(source?.readyState === EventSource.CONNECTING ? "reconnecting" : "polling");
  }

  // Polling: requests both lists
  let wanted = false;
  let asking = false;
  let asked = 0;
  let question = "";
  let timer = 0;
  function look() {
    wanted = true;
    clearTimeout(timer);
    timer = setTimeout(() => { if (!asking && inbox()) htmx.trigger(inbox(), "news"); }, SETTLE);
  }
  document.addEventListener("htmx:before:request", (event) => {
    if (!isPoll(event)) return;
    const isIdle = event.target === inbox() && isOpen() && !wanted && Date.now() - asked < CHECK;
    const modal = document.querySelector("dialog:modal");
    const isBehind = modal && !modal.contains(event.target);
    if (isIdle || document.hidden || isBehind) return event.preventDefault();
    asking = true;
    wanted = false;
    asked = Date.now();
    question = event.target.getAttribute("hx-get");
  });
  document.addEventListener("htmx:after:request", (event) => {
    if (!isPoll(event)) return;
    asking = false;
    const works = event.detail.ctx.response.status < 400;
    if (works) follow();
    if (!isOpen()) mark(!works ? "lost" : source?.readyState === EventSource.CONNECTING ? "reconnecting" : "polling");
    if (wanted) look();
  });
  document.addEventListener("htmx:error", (event) => {
    if (!isPoll(event)) return;
    asking = false;
    mark("lost");
  });
  document.addEventListener("htmx:before:swap", (event) => {
    // A failed poll must not put an error page into the list, and one requested before the user opened another
    // mailbox must not show the lists of the old one.
    if (!isPoll(event)) return;
    const isStale = event.target === inbox() && event.target.getAttribute("hx-get") !== question;
    if (event.detail.ctx.response.status >= 400 || isStale) event.preventDefault();
    if (isStale) look();
  });

  let mails = null;
  function countMails() {
    const list = document.getElementById("mails");
    const total = list ? Number(list.dataset.total) : null;
    const announce = document.getElementById("announce");
    if (mails !== null && total > mails) announce.textContent = words.mails.replace("{n}", total - mails);
    mails = total;
  }

  // Read: a message that has been open for SEEN ms on a visible page. Only once per opening, so that
  // "mark as unread" stays.
  let opened = null;
  function watchReader() {
    const shown = document.querySelector(".reader")?.id ?? null;
    if (shown === opened || document.hidden) return;
    opened = shown;
    setTimeout(() => {
      const form = opened === shown && document.querySelector(".reader .mark[data-unread]");
      if (!form) return;
      if (document.hidden) opened = null; // hidden meanwhile: the time starts again
      else htmx.trigger(form, "seen");
    }, SEEN);
  }

  function refresh() {
    follow();
    countMails();
    watchReader();
    if (document.querySelector("[data-live]")?.hidden !== false) mark(isOpen() ? "live" : "polling");
  }
  document.addEventListener("visibilitychange", () => { follow(); watchReader(); });
  document.addEventListener("htmx:after:swap", refresh);
  refresh();
})();
