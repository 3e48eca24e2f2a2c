// Keeps an open page fresh: every ten seconds the same page is fetched again and the parts marked data-live are swapped.
// The page is complete without this. It pauses with the tab, leaves alone what holds the focus, and can be switched off.
"use strict";

(() => {
  const every = 10000;
  const key = "esep-live";
  let on = true;
  try {
    on = localStorage.getItem(key) !== "off";
  } catch (e) {
    // storage is a convenience
  }

  const button = document.createElement("button");
  const show = () => {
    button.textContent = on ? document.body.dataset.on : document.body.dataset.off;
    button.setAttribute("aria-pressed", String(on));
  };
  button.type = "button";
  button.className = "live";
  button.addEventListener("click", () => {
    on = !on;
    try {
      localStorage.setItem(key, on ? "on" : "off");
    } catch (e) {
      // as above
    }
    show();
    if (on) refresh();
  });

  const swap = (fresh) => {
    for (const part of document.querySelectorAll("[data-live]")) {
      const name = CSS.escape(part.dataset.live);
      const other = fresh.querySelector(`[data-live="${name}"]`);
      if (!other || part.contains(document.activeElement) || part.innerHTML === other.innerHTML) continue;
      const left = [...part.querySelectorAll(".scroll")].map((e) => e.scrollLeft);
      part.replaceChildren(...other.childNodes);
      [...part.querySelectorAll(".scroll")].forEach((e, i) => (e.scrollLeft = left[i] || 0));
    }
  };

  // New graphs are loaded before they are shown, so that nothing flickers.
  const load = (fresh) => {
    const waits = [...fresh.querySelectorAll("[data-live] picture.graph")].map((picture) => {
      const source = [...picture.querySelectorAll("source")].find((s) => matchMedia(s.media).matches);
      const address = source ? source.srcset : picture.querySelector("img").getAttribute("src");
      const seen = [...document.querySelectorAll("picture.graph img")].some((img) => img.currentSrc.endsWith(address));
      if (seen) return null;
      const image = new Image();
      image.src = address;
      return image.decode().catch(() => null);
    });
    return Promise.all(waits);
  };

  const refresh = async () => {
    if (!on || document.hidden) return;
    try {
      const reply = await fetch(location.href, { cache: "no-cache", credentials: "same-origin" });
      if (!reply.ok) return;
      if (reply.redirected) return void location.reload(); // the session is over: the way in is shown
      const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
      await load(fresh);
      swap(fresh);
    } catch (e) {
      // the next turn tries again
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    if (!document.querySelector("[data-live]")) return;
    document.querySelector("footer .wrap").prepend(button);
    show();
    setInterval(refresh, every);
    document.addEventListener("visibilitychange", refresh);
  });
})();
