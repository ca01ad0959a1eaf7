// Talking to the server: JSON or a form out, {status, data} back. Status 0 means that nobody answered.
const PATIENCE = 15000;

/** The cookie first: signing in again in another window changes the token that this page was loaded with. */
export function token() {
  const cookie = document.cookie.split("; ").find((part) => part.startsWith("csrftoken="));
  const meta = document.querySelector('meta[name="csrf-token"]');
  return cookie ? cookie.slice("csrftoken=".length) : meta ? meta.content : "";
}

export function renewToken(value) {
  const meta = document.querySelector('meta[name="csrf-token"]');
  if (meta && value) meta.content = value;
  for (const field of document.querySelectorAll('input[name="csrfmiddlewaretoken"]')) field.value = value;
}

export async function send(url, body, { type = "application/json", signal } = {}) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE);
  if (signal) signal.addEventListener("abort", () => stop.abort());
  try {
    const response = await fetch(url, {
      method: "POST",
      body,
      headers: { "Content-Type": type, Accept: "application/json", "X-CSRFToken": token() },
      credentials: "same-origin",
      cache: "no-store",
      signal: stop.signal,
    });
    const data = await response.json().catch(() => null);
    // A page instead of an answer comes from something in between: as good as none.
    return data === null ? { status: response.ok ? 0 : response.status, data: {} } : { status: response.status, data };
  } catch {
    return { status: 0, data: {} };
  } finally {
    clearTimeout(timer);
  }
}

export const sendForm = (url, fields, options = {}) =>
  send(url, new URLSearchParams(fields), { ...options, type: "application/x-www-form-urlencoded" });

/** Nobody there, or ill, or asked to wait: worth asking again with the same words. */
export const worthRetrying = (status) => status === 0 || status >= 500 || status === 408 || status === 429;
