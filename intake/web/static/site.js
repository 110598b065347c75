// Every page works without this.
(() => {
  "use strict";
  const one = (q, from = document) => from.querySelector(q);
  const all = (q) => [...document.querySelectorAll(q)];

  one("#errs")?.focus();

  // Replaces this page.
  one(".exit")?.addEventListener("click", (e) => { e.preventDefault(); location.replace(e.target.href); });

  // Sends once.
  document.addEventListener("submit", (e) => {
    const off = !navigator.onLine && !/^(localhost|127)/.test(location.hostname);
    if (off && !confirm("You seem to be offline. Try anyway?")) return e.preventDefault();
    if (e.target.dataset.sent) e.preventDefault();
    e.target.dataset.sent = "1";
    setTimeout(() => delete e.target.dataset.sent, 4000);
  });
  addEventListener("pageshow", () => all("form[data-sent]").forEach((f) => delete f.dataset.sent));

  // A list stays.
  const place = one("[data-keep-place]") && `y ${location.pathname}${location.search}`;
  if (place) {
    try {
      const y = sessionStorage.getItem(place);
      if (y && !location.hash) scrollTo(0, +y);
      addEventListener("pagehide", () => sessionStorage.setItem(place, scrollY));
    } catch {}
  }

  // [data-poll=ADDRESS] hidden: shown once {"changed": n} is not 0.
  const poll = one("[data-poll]");
  if (poll) {
    const look = async () => {
      if (document.hidden) return;
      try {
        const { changed } = await (await fetch(poll.dataset.poll)).json();
        poll.hidden = !changed;
        if (changed) one("strong", poll).textContent = changed === 1 ? "1 case changed" : `${changed} cases changed`;
      } catch { /* offline */ }
    };
    setInterval(look, 30000);
  }

  // Single keys: <body data-keys="on">, "alt" or "off".
  const mode = document.body.dataset.keys;
  const rows = all(".q tbody tr:not(.grp)");
  const at = () => rows.findIndex((r) => r.hasAttribute("aria-current"));
  const go = (n) => {
    const next = rows[Math.min(Math.max(n, 0), rows.length - 1)];
    if (!next) return;
    rows.forEach((r) => r.removeAttribute("aria-current"));
    next.setAttribute("aria-current", "true");
    one("a", next)?.focus();
    next.scrollIntoView({ block: "nearest" });
  };
  const press = {
    j: () => go(at() + 1),
    k: () => go(at() - 1),
    x: () => one("input[type=checkbox]", rows[at()])?.click(),
    Enter: () => one("a", rows[at()])?.click(),
    "/": () => one("input[type=search]")?.focus(),
  };
  if (mode && mode !== "off") addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey !== (mode === "alt") || e.target.closest("input, textarea, select, a, button, summary") && e.key === "Enter") return;
    if (e.target.closest("input:not([type=checkbox]), textarea, select")) return;
    const named = one(`[data-key="${CSS.escape(e.key)}"]`, rows[at()] || document) || one(`[data-key="${CSS.escape(e.key)}"]`);
    const act = rows.length && press[e.key] || named && (() => (named.click(), named.focus()));
    if (act) { e.preventDefault(); act(); }
  });
})();
