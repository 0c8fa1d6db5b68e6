/* Passkeys: a form with [data-passkey] asks the browser to make one ("create") or to use one ("get"), puts the answer
   into its hidden field and goes on. Its options stand in a JSON block or come from an address.
   Where the browser knows no passkeys the form stays hidden. */

const supported = Boolean(window.PublicKeyCredential && navigator.credentials);

function toBytes(text) {
  const padded = text.replaceAll("-", "+").replaceAll("_", "/").padEnd(Math.ceil(text.length / 4) * 4, "=");
  return Uint8Array.from(atob(padded), (letter) => letter.charCodeAt(0));
}

function toText(buffer) {
  const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function listed(descriptors) {
  return descriptors?.map((one) => ({ ...one, id: toBytes(one.id) }));
}

function readable({ publicKey, ...rest }) {
  const options = { ...publicKey, challenge: toBytes(publicKey.challenge) };
  if (publicKey.user) options.user = { ...publicKey.user, id: toBytes(publicKey.user.id) };
  if (publicKey.allowCredentials) options.allowCredentials = listed(publicKey.allowCredentials);
  if (publicKey.excludeCredentials) options.excludeCredentials = listed(publicKey.excludeCredentials);
  return { ...rest, publicKey: options };
}

function written(credential) {
  const { response } = credential;
  const parts = { clientDataJSON: toText(response.clientDataJSON) };
  if (response.attestationObject) {
    parts.attestationObject = toText(response.attestationObject);
    parts.transports = response.getTransports?.() ?? [];
  } else {
    parts.authenticatorData = toText(response.authenticatorData);
    parts.signature = toText(response.signature);
    parts.userHandle = response.userHandle ? toText(response.userHandle) : null;
  }
  return JSON.stringify({
    type: credential.type,
    id: credential.id,
    rawId: toText(credential.rawId),
    authenticatorAttachment: credential.authenticatorAttachment ?? null,
    response: parts,
    clientExtensionResults: credential.getClientExtensionResults(),
  });
}

async function optionsOf(form) {
  if (form.dataset.passkeyData) return JSON.parse(document.getElementById(form.dataset.passkeyData).textContent);
  const answer = await fetch(form.dataset.passkeyOptions, {
    headers: { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" },
  });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

async function create(form) {
  const options = readable((await optionsOf(form)).creation_options);
  options.publicKey.authenticatorSelection = {
    ...options.publicKey.authenticatorSelection,
    residentKey: "required",
    requireResidentKey: true,
    userVerification: "required",
  };
  return navigator.credentials.create(options);
}

async function get(form) {
  return navigator.credentials.get(readable((await optionsOf(form)).request_options));
}

function say(title) {
  document.dispatchEvent(new CustomEvent("toast", { detail: { kind: "bad", title } }));
}

async function run(event) {
  const form = event.currentTarget;
  const field = form.elements.namedItem("credential");
  if (field.value) return;
  event.preventDefault();
  event.stopPropagation();
  const button = form.querySelector("button:not([type='button'])");
  button.setAttribute("aria-busy", "true");
  try {
    field.value = written(await (form.dataset.passkey === "create" ? create(form) : get(form)));
    form.submit();
  } catch {
    button.removeAttribute("aria-busy");
    say(form.dataset.passkeyFailed ?? "");
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.hidden = !supported;
  form.addEventListener("submit", run);
}
document.querySelectorAll("[data-passkey-absent]").forEach((words) => {
  words.hidden = supported;
});
