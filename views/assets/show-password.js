/** Lets people see the password they type. Without it, the field is as any other. */
;(() => {
  for (const field of document.querySelectorAll('.password')) {
    const input = field.querySelector('input')
    if (!input) continue
    const button = document.createElement('button')
    button.type = 'button'
    button.id = `${input.id}-show`
    button.setAttribute('aria-controls', input.id)
    const show = (visible) => {
      input.type = visible ? 'text' : 'password'
      button.textContent = visible ? field.dataset.hide : field.dataset.show
    }
    button.addEventListener('click', () => {
      show(input.type === 'password')
    })
    // What was shown must not be sent or kept as ordinary text by the browser.
    input.form?.addEventListener('submit', () => show(false))
    show(false)
    field.append(button)
  }
})()
