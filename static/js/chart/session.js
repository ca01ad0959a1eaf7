// The session ended under an open note: the password in place, and the note goes on.
import { one } from "./dom.js";
import { renewToken, send } from "./wire.js";

const dialog = one("#signin-dialog");

/** Ends when the same person is signed in again. Anybody else is sent to the first page: the text stays in the
 *  store, unreadable to them. ``leave`` opens the way out without a warning. */
export function signInAgain({ data, leave }) {
  const account = one("#signin-username");
  const password = one("#signin-password");
  const fault = one("#signin-fault");
  account.value = data.username;
  password.value = "";
  fault.hidden = true;
  if (!dialog.open) dialog.showModal();
  password.focus();
  dialog.oncancel = (event) => event.preventDefault();
  one("#signin-leave").onclick = () => leave(data.urls.home);
  return new Promise((done) => {
    one("#signin-form").onsubmit = async (event) => {
      event.preventDefault();
      const body = JSON.stringify({ username: account.value, password: password.value });
      const { status, data: answer } = await send(data.urls.sign_in, body);
      password.value = "";
      if (status !== 200) {
        fault.textContent = answer.message || data.texts.offline;
        fault.hidden = false;
        password.focus();
        return;
      }
      if (answer.user !== data.user || answer.duty) return leave(data.urls.home);
      renewToken(answer.csrf);
      dialog.close();
      done();
    };
  });
}
