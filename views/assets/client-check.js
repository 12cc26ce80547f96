/** Says of each redirect URI whether it will do, while it is typed. Without it the server says so when the form is sent. */
const form = document.querySelector('#client-form')
const field = document.querySelector('#f-redirectUris')
const place = document.querySelector('#uri-checks')

if (form && field && place) {
  let timer
  let asked = 0

  const linesOf = (text) =>
    text
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean)

  const show = (uris, problems) => {
    place.replaceChildren()
    if (uris.length === 0) return
    const heading = document.createElement('p')
    heading.className = 'hint'
    heading.textContent = place.dataset.label
    const list = document.createElement('ul')
    list.className = 'checks'
    uris.forEach((uri, i) => {
      const problem = problems[i]
      const item = document.createElement('li')
      item.className = problem ? 'check-bad' : 'check-good'
      const mark = document.createElement('span')
      mark.setAttribute('aria-hidden', 'true')
      mark.textContent = problem ? '✗' : '✓'
      const shown = document.createElement('bdi')
      shown.textContent = uri.slice(0, 200)
      item.append(mark, ' ', shown, `: ${problem || place.dataset.ok}`)
      list.append(item)
    })
    place.append(heading, list)
  }

  const check = async () => {
    const mine = ++asked
    const uris = linesOf(field.value)
    const body = new URLSearchParams({ redirectUris: field.value })
    for (const name of ['form_token', 'staff', 'kind']) body.set(name, form.elements[name].value)
    const answer = await fetch(form.dataset.check, { method: 'POST', body }).catch(() => undefined)
    // She typed on meanwhile, or signed out: sending the form says what is wrong.
    if (mine !== asked || !answer?.headers.get('content-type')?.includes('json')) return
    show(uris, await answer.json())
  }

  field.addEventListener('input', () => {
    clearTimeout(timer)
    timer = setTimeout(check, 400)
  })
}
