// Passkeys: signing in with one, registering one. Where they cannot be used, the page shows why.
(() => {
  "use strict";
  const json = (element, name) => JSON.parse(element.dataset[name]);

  class Refusal extends Error {
    constructor(status, code) {
      super(code);
      this.key = status === 429 ? "slow" : code;
    }
  }

  async function post(path, body) {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const told = await answer.json();
    if (!answer.ok) throw new Refusal(answer.status, told.details?.code);
    return told;
  }

  async function register(form) {
    const asked = await post("/api/passkeys/registration/options", { name: form.elements.name.value });
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(asked);
    const made = await navigator.credentials.create({ publicKey });
    const passkey = await post("/api/passkeys/registration/verify", { response: made.toJSON() });
    return `/passkeys?notice=registered&passkey=${encodeURIComponent(passkey.id)}`;
  }

  async function signIn(form) {
    const asked = await post("/api/auth/passkey/options", {});
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked);
    const proof = await navigator.credentials.get({ publicKey });
    await post("/api/auth/passkey/verify", { response: proof.toJSON() });
    return form.dataset.next;
  }

  function tell(form, key) {
    const words = json(form, "words");
    const place = form.querySelector("[data-told]");
    place.textContent = key ? words[key] ?? words.failed : "";
    place.dataset.told = key;
    place.toggleAttribute("data-bad", Boolean(key) && key !== "waiting");
  }

  async function run(form) {
    const button = form.querySelector("button");
    button.disabled = true;
    tell(form, "waiting");
    try {
      location.assign(await (form.dataset.passkeys === "register" ? register : signIn)(form));
    } catch (error) {
      // The authenticator's own refusals are DOMExceptions: NotAllowedError is also "cancelled" and "too late".
      tell(form, error.key ?? error.name);
      button.disabled = false;
      button.focus();
    }
  }

  // The address is checked first: on plain HTTP browsers hide the passkey API.
  function open(form) {
    tell(form, "");
    const canParse = "parseRequestOptionsFromJSON" in (window.PublicKeyCredential ?? {});
    if (!json(form, "origins").includes(location.origin)) form.querySelector("[data-wrong-address]").hidden = false;
    else if (!window.isSecureContext) tell(form, "insecure");
    else if (!canParse) tell(form, "unsupported");
    else form.querySelector("fieldset").disabled = false;
  }

  for (const form of document.querySelectorAll("form[data-passkeys]")) {
    open(form);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      run(form);
    });
  }
})();
