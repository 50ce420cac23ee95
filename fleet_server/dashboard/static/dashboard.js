// Live parts, and small comforts. Every page works without it.
"use strict";

const LOST_AFTER = 2;

function keepFocus(part, change) {
  const held = part.contains(document.activeElement) ? document.activeElement.id : "";
  const open = [...part.querySelectorAll("details[open][id]")].map((each) => each.id);
  change();
  for (const id of open) {
    const again = document.getElementById(id);
    if (again) again.open = true;
  }
  if (held) {
    const again = document.getElementById(held);
    if (again) again.focus({ preventScroll: true });
  }
}

function isTyping(part) {
  const active = document.activeElement;
  return part.contains(active) && ["INPUT", "TEXTAREA", "SELECT"].includes(active.tagName);
}

function live(part) {
  const state = document.getElementById("link-state");
  const pause = Number(part.dataset.every) || 1500;
  let tag = "";
  let failures = 0;
  async function look() {
    if (document.hidden) return pause;
    try {
      const headers = { "X-Live": "1" };
      if (tag) headers["If-None-Match"] = tag;
      const answer = await fetch(part.dataset.live, { headers, cache: "no-store", redirect: "error" });
      if (answer.status === 401 || answer.status === 403) { location.reload(); return 0; }
      if (answer.status !== 304 && !answer.ok) throw new Error(String(answer.status));
      if (answer.status === 200 && !isTyping(part)) {
        const text = await answer.text();
        tag = answer.headers.get("ETag") || "";
        keepFocus(part, () => { part.innerHTML = text; });
      }
      failures = 0;
    } catch {
      failures += 1;
    }
    document.body.classList.toggle("stale", failures >= LOST_AFTER);
    if (state) state.textContent = failures >= LOST_AFTER ? state.dataset.lost : "";
    return failures ? Math.min(pause * 2 ** failures, 15000) : pause;
  }
  async function turn() {
    const wait = await look();
    if (wait) setTimeout(turn, wait);
  }
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  window.addEventListener("online", look);
  setTimeout(turn, pause);
}

function goToLine(area, line) {
  const lines = area.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  area.focus();
  area.setSelectionRange(start, start + (lines[line - 1] || "").length);
  const height = parseFloat(getComputedStyle(area).lineHeight) || 20;
  area.scrollTop = Math.max(0, (line - 5) * height);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-line]");
  const area = link && document.getElementById("draft-text");
  if (area) { event.preventDefault(); goToLine(area, Number(link.dataset.line)); }
});

document.addEventListener("change", async (event) => {
  const area = document.getElementById("draft-text");
  if (event.target.id === "draft-file" && area && event.target.files.length) {
    area.value = await event.target.files[0].text();
  }
});

for (const part of document.querySelectorAll("[data-live]")) live(part);
const alarm = document.querySelector("main [role=alert]");
if (alarm) alarm.focus();
