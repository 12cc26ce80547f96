/** Has the browser make a passkey, or use one, and sends what it says. A browser that cannot never shows the form. */
;(() => {
  const kind = window.PublicKeyCredential
  if (!kind?.parseCreationOptionsFromJSON || !kind.parseRequestOptionsFromJSON) return
  const ways = {
    create: (options) =>
      navigator.credentials.create({ publicKey: kind.parseCreationOptionsFromJSON(options) }),
    get: (options) =>
      navigator.credentials.get({ publicKey: kind.parseRequestOptionsFromJSON(options) }),
  }
  for (const form of document.querySelectorAll('form[data-passkey]')) {
    const words = form.querySelector('[role="alert"]')
    const button = form.querySelector('[type="submit"]')
    const ask = ways[form.dataset.passkey]
    for (const hidden of document.querySelectorAll(`[data-with="${form.id}"]`))
      hidden.hidden = false
    form.hidden = false
    form.addEventListener('submit', async (event) => {
      event.preventDefault()
      words.textContent = ''
      button.disabled = true
      try {
        const credential = await ask(JSON.parse(form.dataset.options))
        form.elements.response.value = JSON.stringify(credential.toJSON())
        form.submit()
      } catch (error) {
        // She cancelled, waited too long, or the one she has is known already: the browser does not tell strangers more.
        const known = error.name === 'InvalidStateError' && form.dataset.known
        words.textContent = known || form.dataset.failed
      } finally {
        button.disabled = false
      }
    })
  }
})()
