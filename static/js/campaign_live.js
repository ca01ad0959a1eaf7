// Refreshes the parts of a campaign's page while it moves. Without script one reads the page again.
const root = document.querySelector("[data-live-url]");
const QUICK = 2000;
const SLOW = 10000;
const RATES_EVERY = 5; // the figures by carrier and station are asked for less often than the sums
let round = 0;

const word = (name) => {
  const place = root.querySelector("[data-live-word]");
  const text = name ? root.dataset[name] : "";
  if (place.textContent !== text) place.textContent = text;
};

// Focus stays on the button that was there before, so that the keyboard is not lost every two seconds.
const put = (part) => {
  const place = root.querySelector(`[data-live="${part.dataset.live}"]`);
  if (!place || place.innerHTML === part.innerHTML) return;
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.act : null;
  place.innerHTML = part.innerHTML;
  if (focused) (place.querySelector(`[data-act="${focused}"]`) || root).focus();
};

const ask = async (rates) => {
  const answer = await fetch(`${root.dataset.liveUrl}${rates ? "?rates=1" : ""}`, { headers: { "X-Poll": "1" }, cache: "no-store" });
  if (answer.redirected || answer.status === 403 || answer.status === 404) return null;
  if (!answer.ok) throw new Error(answer.status);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
};

const look = async () => {
  if (document.hidden) {
    document.addEventListener("visibilitychange", look, { once: true });
    return;
  }
  const began = performance.now();
  let wait = QUICK;
  try {
    const rates = round % RATES_EVERY === 0;
    round += 1;
    const page = await ask(rates);
    if (!page) return word("signedOut");
    page.querySelectorAll("[data-live]").forEach(put);
    word("");
    const pace = page.querySelector("[data-pace]").dataset.pace;
    // The last look brings the last figures too.
    if (pace === "over" && rates) return;
    if (pace === "over") round = 0;
    wait = Math.max(pace === "slow" ? SLOW : QUICK, (performance.now() - began) * 10);
  } catch {
    word("offline");
    wait = SLOW / 2;
  }
  setTimeout(look, wait);
};

if (root && root.dataset.pace !== "over") setTimeout(look, QUICK);
