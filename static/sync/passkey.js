// Asks the browser for a passkey, to add it or to log in with it, and sends what it gives. webauthnJSON comes with allauth.
const passkeyForm = document.getElementById("passkey-form");
const passkeyOptions = JSON.parse(document.getElementById("passkey-options").textContent);

document.getElementById("passkey").addEventListener("click", async () => {
  const said = document.getElementById("passkey-error");
  said.textContent = "";
  try {
    const given = passkeyOptions.creation_options
      ? await webauthnJSON.create(passkeyOptions.creation_options)
      : await webauthnJSON.get(passkeyOptions.request_options);
    passkeyForm.elements.credential.value = JSON.stringify(given);
  } catch {
    said.textContent = said.dataset.text;
    return;
  }
  passkeyForm.submit();
});
