// The data desk: forms ask by `data-post` and go where the answer says; a file is sent as soon as it is chosen.
import { ask, Refused } from "./ask.js";
import { say } from "./say.js";

/** What a form holds: ticked boxes are true, numbers are numbers, `columns.text` becomes {columns: {text: […]}}. */
function held(form) {
  const found = {};
  for (const field of form.elements) {
    if (!field.name || field.disabled) continue;
    const [group, role] = field.name.split(".");
    if (role) {
      found[group] ||= {};
      found[group][role] = [...field.selectedOptions].map((option) => option.value).filter(Boolean);
    } else if (field.type === "checkbox") found[group] = field.checked;
    else if ("boolean" in field.dataset) found[group] = true;
    else if (field.type === "number") found[group] = Number(field.value);
    else found[group] = field.value;
  }
  return found;
}

function fault(form, error) {
  const place = form.querySelector(".error") || form.appendChild(Object.assign(document.createElement("p"), { className: "error" }));
  place.setAttribute("role", "alert");
  place.textContent = error instanceof Refused ? error.message : say("连不上服务，请再试一次");
  place.hidden = false;
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.post) return;
  event.preventDefault();
  if (form.dataset.sure && !window.confirm(form.dataset.sure)) return;
  const buttons = [...form.querySelectorAll("button:not(:disabled)")];
  for (const button of buttons) button.disabled = true;
  try {
    const reply = await ask(form.dataset.post, { method: form.dataset.method || "POST", json: held(form) });
    if (!("stay" in form.dataset)) location.assign(reply.to);
  } catch (error) {
    fault(form, error);
  } finally {
    if (!("stay" in form.dataset)) for (const button of buttons) button.disabled = false;
  }
});

const drop = document.getElementById("upload");
if (drop) {
  const input = drop.querySelector("input[type=file]");
  const sending = drop.querySelector(".sending");

  async function send(file) {
    drop.querySelector(".error").hidden = true;
    sending.querySelector("span").textContent = say("正在上传 {name}，共 {size} MB……", { name: file.name, size: (file.size / 1048576).toFixed(1) });
    sending.hidden = false;
    input.disabled = true;
    try {
      const address = `/data/uploads?filename=${encodeURIComponent(file.name)}`;
      const headers = { "content-type": "application/octet-stream" };
      location.assign((await ask(address, { method: "POST", body: file, headers, patient: false })).to);
    } catch (error) {
      fault(drop, error);
    } finally {
      sending.hidden = true;
      input.disabled = false;
      input.value = "";
    }
  }

  input.addEventListener("change", () => input.files.length && send(input.files[0]));
  drop.addEventListener("submit", (event) => event.preventDefault());
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  drop.addEventListener("dragleave", (event) => drop.contains(event.relatedTarget) || drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files.length) send(event.dataTransfer.files[0]);
  });
}
