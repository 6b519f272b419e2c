// <armillary-objects src="DESK/embed/objects?table=..."> in any page: our page in a frame, and an event.
// The desk must be started with --allow-origin of that page.
class ArmillaryObjects extends HTMLElement {
  static observedAttributes = ["src", "title"];

  connectedCallback() {
    if (!this.frame) {
      this.frame = document.createElement("iframe");
      this.frame.setAttribute("allow", "clipboard-write");
      Object.assign(this.frame.style, { width: "100%", height: "100%", border: "0" });
      this.attachShadow({ mode: "open" }).append(this.frame);
    }
    if (!this.style.display) this.style.display = "block";
    if (!this.style.height) this.style.height = "640px";
    this.heard = (event) => this.hear(event);
    addEventListener("message", this.heard);
    this.show();
  }

  disconnectedCallback() {
    removeEventListener("message", this.heard);
  }

  attributeChangedCallback() {
    if (this.frame) this.show();
  }

  show() {
    const address = new URL(this.getAttribute("src") ?? "", document.baseURI);
    if (!/^https?:$/.test(address.protocol)) return;
    this.from = address.origin;
    this.frame.title = this.getAttribute("title") ?? "Table of sources";
    if (this.frame.src !== address.href) this.frame.src = address.href;
  }

  /** The selection of the frame becomes an event: detail has count and ids (at most 10,000). */
  hear(event) {
    if (event.source !== this.frame.contentWindow || event.origin !== this.from || event.data?.armillary !== "selection") return;
    const { count, ids } = event.data;
    this.dispatchEvent(new CustomEvent("selection", { detail: { count, ids }, bubbles: true }));
  }
}

if (!customElements.get("armillary-objects")) customElements.define("armillary-objects", ArmillaryObjects);
