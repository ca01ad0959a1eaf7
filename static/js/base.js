// What every page needs: the CSRF token and the polling mark on htmx requests, and a sentence when one fails.
(() => {
  const text = (name) => document.body.dataset[name] || "";

  document.addEventListener("htmx:configRequest", (event) => {
    const token = document.querySelector('meta[name="csrf-token"]');
    if (token) event.detail.headers["X-CSRFToken"] = token.content;
    // A page that refreshes itself is nobody's work: it must not keep an abandoned session alive.
    if (event.target.closest("[data-poll]") === event.target) event.detail.headers["X-Poll"] = "1";
  });

  // A whole page in answer to a part of one (a duty came first): open it instead of a page within the page.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const landed = new URL(event.detail.xhr.responseURL || location.href, location.href);
    if (/^\/(sign-in|account\/)/.test(landed.pathname) && landed.pathname !== location.pathname) {
      event.detail.shouldSwap = false;
      location.assign(landed.pathname);
    }
  });

  // A row that is replaced takes the focus along; the keyboard goes on at what came instead of it.
  let left;
  document.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
    left = target.contains(document.activeElement) ? target.id : "";
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (left && document.activeElement === document.body) document.getElementById(left)?.focus();
    left = "";
  });

  let notice;
  const tell = (message, door) => {
    if (!message) return;
    if (!notice) {
      notice = document.createElement("div");
      notice.className = "notice alert alert-warning";
      notice.setAttribute("role", "alert");
      document.body.append(notice);
    }
    notice.textContent = message;
    if (door) {
      const link = document.createElement("a");
      link.className = "alert-link ms-2";
      link.href = door;
      link.textContent = text("door");
      notice.append(link);
    }
    notice.hidden = false;
  };
  document.addEventListener("htmx:sendError", () => tell(text("offline")));
  document.addEventListener("htmx:responseError", ({ detail: { xhr } }) => {
    const door = xhr.getResponseHeader("X-Sign-In");
    tell(text(door ? "signedOut" : "failed"), door);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful && notice) notice.hidden = true;
  });
})();
