// Uploading a file: dropped or chosen, sent with its progress shown, and sent again where the connection broke —
// under the same name, so that it is taken in once.
import { ask, clear, isRenewed, Refused, tell } from "./ask.js";
import { fail, named } from "./backlog.js";
import { say } from "./say.js";

const AGAIN = 2000; // milliseconds
const form = document.getElementById("upload");
const drop = document.getElementById("drop");
const chosen = document.getElementById("chosen");
const bar = document.getElementById("sending");
const sent = document.getElementById("sent");
const stop = document.getElementById("stop");
const field = form.elements.file;
let stopped = false;
let request = null;

const size = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

function choose() {
  document.getElementById("error").hidden = true;
  const file = field.files[0];
  chosen.textContent = file ? `${file.name} · ${size(file.size)}` : say("还没有选");
}

for (const kind of ["dragenter", "dragover"]) {
  drop.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length) field.files = event.dataTransfer.files;
  choose();
});
field.addEventListener("change", choose);
stop.addEventListener("click", () => {
  stopped = true;
  request?.abort();
});

/** Send once: the answer, or nothing where the connection broke. Raises `Refused`. */
function send(body, name) {
  return new Promise((resolve, reject) => {
    request = new XMLHttpRequest();
    request.open("POST", "/v1/batches");
    request.setRequestHeader("idempotency-key", name);
    request.setRequestHeader("x-csrf-token", document.querySelector('meta[name="csrf"]').content);
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => {
      bar.value = total ? loaded / total : 0;
      sent.textContent = say("已送 {sent}，共 {total}", { sent: size(loaded), total: size(total) });
    };
    request.onerror = request.onabort = () => resolve(null);
    request.onload = () => {
      if (request.status === 200) resolve(request.response);
      else reject(new Refused(request.status, request.response ?? {}));
    };
    request.send(body);
  });
}

/** Send until it has come: first a small question, which waits for the service and has people sign in again. */
async function insist(body, name) {
  let renewed = false;
  while (!stopped) {
    await ask("/v1/batches");
    try {
      const answer = await send(body, name);
      if (answer) return answer;
    } catch (error) {
      if (error.status === 403 && !renewed && (await isRenewed())) {
        renewed = true; // somebody has signed in in another window: once more, with the token of now
        continue;
      }
      if (![401, 409, 503].includes(error.status)) throw error;
    }
    if (stopped) break;
    tell("gone", say("连接断了，文件还选着，接着再送……"));
    await new Promise((done) => setTimeout(done, AGAIN));
    clear("gone");
  }
  return null;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  document.getElementById("error").hidden = true;
  const body = new FormData();
  for (const [name, value] of new FormData(form)) if (name !== "file" && value) body.append(name, value);
  body.append("dry_run", "true");
  body.append("file", field.files[0]);
  const button = form.querySelector("button.main");
  stopped = false;
  button.disabled = true;
  bar.hidden = stop.hidden = false;
  try {
    const answer = await insist(body, named());
    if (answer) return location.assign(`/backlog/${answer.id}`);
    sent.textContent = say("停下了，什么也没有留");
  } catch (error) {
    sent.textContent = "";
    fail(error);
  }
  button.disabled = false;
  bar.hidden = stop.hidden = true;
});
