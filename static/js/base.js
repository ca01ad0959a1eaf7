// What every page needs: the CSRF token and the polling mark on htmx requests, and a sentence when one fails.
(() => {
  const text = (name) => document.body.dataset[name] || "";

  document.addEventListener("htmx:configRequest", (event) => {
    const token = document.querySelector('meta[name="csrf-token"]');
    if (token) event.detail.headers["X-CSRFToken"] = token.content;
    // A page that refreshes itself is nobody's work: it must not keep an abandoned session alive.
    if (event.target.closest("[data-poll]") === event.target) event.detail.headers["X-Poll"] = "1";
  });

  // A poll that met the sign-in page: show the door instead of a page within the page.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const landed = event.detail.xhr.responseURL || "";
    if (new URL(landed, location.href).pathname === "/sign-in") {
      event.detail.shouldSwap = false;
      location.reload();
    }
  });

  let notice;
  const tell = (message) => {
    if (!message) return;
    if (!notice) {
      notice = document.createElement("div");
      notice.className = "notice alert alert-warning";
      notice.setAttribute("role", "alert");
      document.body.append(notice);
    }
    notice.textContent = message;
    notice.hidden = false;
  };
  document.addEventListener("htmx:sendError", () => tell(text("offline")));
  document.addEventListener("htmx:responseError", () => tell(text("failed")));
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful && notice) notice.hidden = true;
  });
})();
