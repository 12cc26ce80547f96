/** Says whether an account is free while it is chosen. Without it, the page after says so. */
;(() => {
  const form = document.querySelector('form[data-check]')
  if (!form) return

  for (const input of form.querySelectorAll('input[data-account]')) {
    const status = document.getElementById(`${input.id}-check`)
    if (!status) continue
    let timer
    let asked = 0
    const say = (text, kind = '') => {
      status.textContent = text
      status.dataset.kind = kind
    }

    const ask = async () => {
      const question = ++asked
      const value = input.value.trim()
      if (!value) return say('')
      say(status.dataset.checking)
      const body = new URLSearchParams({
        form_token: form.elements.namedItem('form_token').value,
        field: input.name,
        value,
      })
      // An answer that does not come is no answer: nothing is said, and the page after will know.
      const answer = await fetch(form.dataset.check, { method: 'POST', body })
        .then((response) => response.json())
        .catch(() => ({ text: '' }))
      // She typed on.
      if (question !== asked) return
      say(answer.text ?? '', answer.kind)
    }

    /** What the page said of the name sent last is not true of another. */
    const forget = () => {
      document.getElementById(`${input.id}-problem`)?.remove()
      input.removeAttribute('aria-invalid')
    }

    input.addEventListener('input', (event) => {
      clearTimeout(timer)
      asked++
      forget()
      say('')
      // While an input method is composing, nothing is chosen yet.
      if (!event.isComposing) timer = setTimeout(ask, 600)
    })
    input.addEventListener('compositionend', () => {
      clearTimeout(timer)
      timer = setTimeout(ask, 600)
    })
    // Full-width letters, capitals, the whole address: what the server makes of it, made visible.
    input.addEventListener('change', () => {
      const typed = input.value.normalize('NFKC').trim().toLowerCase()
      const domain = document.getElementById(`${input.id}-domain`)?.textContent
      input.value = domain && typed.endsWith(domain) ? typed.slice(0, -domain.length) : typed
    })
  }
})()
