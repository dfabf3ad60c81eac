// <jiesu-panel src="https://jiesu.example" lang="zh">: the panel for an agent desktop; docs/panel.md tells how.
// Loaded by pages of other sites, as a classic script or a module, so it imports nothing and leaves one name behind.
{
  const PATIENCE = 10000; // milliseconds for the panel to answer
  const EVENTS = ["ready", "decision", "feedback", "error"];
  const say = (chinese) => chinese;

  class JiesuPanel extends HTMLElement {
    static observedAttributes = ["src", "lang"];
    #root = this.attachShadow({ mode: "open" });
    #frame = null;
    #origin = "";
    #ready = false;
    #key = "";
    #petition = null;
    #timer = 0;

    connectedCallback() {
      addEventListener("message", this.#hear);
      this.#open();
    }

    disconnectedCallback() {
      removeEventListener("message", this.#hear);
      this.#close();
    }

    attributeChangedCallback() {
      if (this.isConnected && this.#frame) this.#open();
    }

    /** The key or token that the panel asks the service with; it can be set, never read. */
    set key(value) {
      this.#key = String(value ?? "");
      this.#send({ type: "jiesu:key", key: this.#key });
    }

    /** Show what a petition is: `{id, text, title, location, channel, phone, received_at}`, as often as it changes. */
    decide(petition) {
      this.#petition = { ...petition };
      this.#send({ type: "jiesu:petition", petition: this.#petition });
    }

    /** Settle what is shown: "accepted", "corrected" with `{category, tier, clock}`, "returned" with `{reason}`. */
    settle(verdict, more = {}) {
      this.#send({ ...more, type: "jiesu:settle", verdict });
    }

    #open() {
      this.#close();
      const address = new URL("/panel", new URL(this.getAttribute("src") || "/", location.href));
      if (this.lang.startsWith("en")) address.searchParams.set("lang", "en");
      this.#origin = address.origin;
      const frame = document.createElement("iframe");
      frame.title = this.getAttribute("label") || "Jiesu";
      frame.referrerPolicy = "no-referrer";
      this.style.display ||= "block"; // by script, so that the page around may forbid inline styles
      Object.assign(frame.style, { width: "100%", height: "100%", border: "0", display: "block" });
      frame.addEventListener("load", () => this.#greet());
      frame.src = address.href;
      this.#frame = frame;
      this.#root.replaceChildren(frame);
      this.#timer = setTimeout(() => this.#miss(), PATIENCE);
    }

    #close() {
      clearTimeout(this.#timer);
      this.#frame?.remove();
      this.#frame = null;
      this.#ready = false;
    }

    #greet() {
      this.#frame?.contentWindow?.postMessage({ type: "jiesu:hello" }, this.#origin);
    }

    #send(message) {
      if (this.#ready) this.#frame.contentWindow.postMessage(message, this.#origin);
    }

    #hear = ({ source, origin, data }) => {
      if (!this.#frame || source !== this.#frame.contentWindow || origin !== this.#origin) return;
      const name = EVENTS.find((one) => data?.type === `jiesu:${one}`);
      if (!name) return;
      if (name === "ready") this.#begin();
      const { type, ...detail } = data;
      this.#tell(name, detail);
    };

    #tell(name, detail) {
      this.dispatchEvent(new CustomEvent(`jiesu-${name}`, { detail, bubbles: true, composed: true }));
    }

    /** The panel is there, for the first time or once more: it gets what it missed. */
    #begin() {
      clearTimeout(this.#timer);
      this.#ready = true;
      if (this.#key) this.key = this.#key;
      if (this.#petition) this.decide(this.#petition);
    }

    #miss() {
      const message = say("接诉面板没有打开：服务停了，或者这个网站不在它允许的来源里（JIESU_PANEL_ORIGINS）");
      const told = document.createElement("p");
      told.setAttribute("role", "alert");
      told.textContent = message;
      this.#root.append(told);
      this.#tell("error", { status: 0, message });
    }
  }

  if (!customElements.get("jiesu-panel")) customElements.define("jiesu-panel", JiesuPanel);
}
