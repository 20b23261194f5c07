// Follows what changes. The server says that a check has changed. Then the page is fetched again, and what differs is put
// in place. What is the same stays as it is, with its focus, its scroll and its unfolded details.
"use strict";
(() => {
  const AGAIN = 30_000;
  const check = location.pathname.startsWith("/checks/")
    ? decodeURIComponent(location.pathname.slice("/checks/".length))
    : null;

  const key = (node) => (node.nodeType === Node.ELEMENT_NODE ? `${node.nodeName} ${node.dataset?.key ?? ""}` : node.nodeName);

  /** Makes one node say what another one says; both have the same key. */
  function put(old, now) {
    if (old.isEqualNode(now)) return;
    if (old.nodeType !== Node.ELEMENT_NODE) {
      old.data = now.data;
      return;
    }
    for (const { name } of [...old.attributes]) {
      const isTheReaders = name === "open" && old.nodeName === "DETAILS";
      if (!now.hasAttribute(name) && !isTheReaders) old.removeAttribute(name);
    }
    for (const { name, value } of now.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    putAll(old, now);
  }

  /** The same of all that stands in them. */
  function putAll(old, now) {
    const named = new Map([...old.children].filter((it) => it.dataset?.key).map((it) => [key(it), it]));
    let at = old.firstChild;
    for (const next of [...now.childNodes]) {
      const same = named.get(key(next)) ?? (at && key(at) === key(next) ? at : null);
      named.delete(key(next));
      if (!same) {
        old.insertBefore(next, at);
        continue;
      }
      if (same === at) at = at.nextSibling;
      else old.insertBefore(same, at);
      put(same, next);
    }
    while (at) {
      const gone = at;
      at = at.nextSibling;
      gone.remove();
    }
  }

  let isAsking = false;
  let timer = null;

  async function refresh() {
    timer = null;
    if (isAsking) return soon();
    isAsking = true;
    try {
      const answer = await fetch(location.pathname, { cache: "no-store", signal: AbortSignal.timeout(AGAIN) });
      if (!answer.ok) return;
      const now = new DOMParser().parseFromString(await answer.text(), "text/html");
      const focused = document.activeElement;
      for (const part of ["main", "footer"]) put(document.querySelector(part), now.querySelector(part));
      // What was moved has lost the focus.
      if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
    } catch {
      // The server is gone for now, and so is the stream: whoever comes back asks again.
    } finally {
      isAsking = false;
    }
  }

  /** Many changes at once are one. */
  function soon() {
    timer ??= setTimeout(refresh, 300);
  }

  let source = null;

  function leave() {
    source?.close();
    source = null;
  }

  function follow() {
    // A page that nobody sees needs no connection.
    if (source || document.hidden) return;
    source = new EventSource("/api/v1/events");
    source.onopen = soon;
    source.addEventListener("check", (event) => {
      const news = JSON.parse(event.data);
      if (check === null || (check === news.check && news.what === "run-kept")) soon();
    });
    source.onerror = () => {
      // A browser tries again by itself, unless it was refused.
      if (source?.readyState !== EventSource.CLOSED) return;
      leave();
      soon();
      setTimeout(follow, AGAIN);
    };
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : follow()));
  addEventListener("pagehide", leave);
  addEventListener("pageshow", follow);
})();
