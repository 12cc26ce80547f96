/** Puts a search box above the county list. Without it, the list is a plain select that works as well. */
;(() => {
  const box = document.getElementById('county-search')
  const input = document.getElementById('connector-search')
  const select = document.getElementById('connector')
  const count = document.getElementById('connector-count')
  const submit = select?.form?.querySelector('[type="submit"]')
  if (!box || !input || !select || !count || !submit) return

  /** 台北, Taibei and TAI-BEI are one and the same to someone who looks for 臺北. */
  const fold = (text) =>
    text
      .normalize('NFKD')
      .replace(/\p{Diacritic}/gu, '')
      .toLowerCase()
      .replaceAll('台', '臺')
      .replace(/[\s\-_'’.·]+/g, '')

  const fill = (template, values) =>
    template.replace(/\{([a-z]+)\}/g, (_, name) => String(values[name] ?? ''))

  const placeholder = [...select.options].filter((option) => option.value === '')
  const gates = [...select.options]
    .filter((option) => option.value !== '')
    .map((option) => ({
      option,
      label: option.disabled ? option.text : option.label,
      words: [option.text, option.value, ...(option.dataset.keywords ?? '').split('|')].map(fold),
    }))

  // A list that stays open is easier with a mouse and a keyboard; phones have a better picker of their own.
  const roomy = window.matchMedia('(min-width: 48rem) and (pointer: fine)')
  const shape = () => {
    if (roomy.matches) select.size = 6
    else select.removeAttribute('size')
    show()
  }

  const matches = () => {
    const wanted = fold(input.value)
    const found = gates.filter(({ words }) => words.some((word) => word.includes(wanted)))
    // Who starts the same way comes first: 新 finds 新北 before 嘉義新…
    const starts = ({ words }) => words.some((word) => word.startsWith(wanted))
    return [...found.filter(starts), ...found.filter((gate) => !starts(gate))]
  }

  /** Options are taken out rather than hidden: Safari shows hidden ones. */
  function show() {
    const chosen = select.value
    const found = matches()
    const list = found.map(({ option }) => option)
    select.replaceChildren(...(roomy.matches ? [] : placeholder), ...list)
    const kept = list.find((option) => option.value === chosen && !option.disabled)
    if (kept) kept.selected = true
    else select.selectedIndex = roomy.matches ? -1 : placeholder.length ? 0 : -1
    const first = found.find(({ option }) => !option.disabled)
    const query = input.value.trim()
    const { none, one, some } = box.dataset
    const template = !query ? '' : !first ? none : found.length === 1 ? one : some
    count.textContent = fill(template, { n: found.length, first: first?.label ?? '', query })
    return first
  }

  input.addEventListener('input', show)
  input.addEventListener('keydown', (event) => {
    // While an input method is composing, Enter and Escape belong to it.
    if (event.isComposing || event.keyCode === 229) return
    if (event.key === 'Enter') {
      event.preventDefault()
      const first = input.value.trim() ? show() : undefined
      if (!first) return
      first.option.selected = true
      count.textContent = fill(box.dataset.picked, { first: first.label })
      submit.focus()
    } else if (event.key === 'Escape') {
      event.preventDefault()
      input.value = ''
      show()
    } else if (event.key === 'ArrowDown') {
      event.preventDefault()
      const first = select.value ? undefined : show()
      if (first) first.option.selected = true
      select.focus()
    }
  })
  select.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !select.value) return
    event.preventDefault()
    submit.focus()
  })

  box.hidden = false
  roomy.addEventListener('change', shape)
  shape()
})()
