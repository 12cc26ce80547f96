/** Shows a picture before it is sent. Without it the next page shows it. */
;(() => {
  for (const input of document.querySelectorAll('input[type="file"][data-preview]')) {
    const field = input.closest('.field')
    if (!field) continue
    const drawn = field.querySelector('img.face')
    const image = drawn ?? new Image(72, 72)
    const before = drawn?.getAttribute('src')
    const box = drawn?.parentElement ?? document.createElement('div')
    if (!drawn) {
      image.className = 'face'
      image.alt = input.dataset.preview
      box.className = 'person'
      box.append(image)
      input.before(box)
    }
    const show = (url) => {
      if (url) image.src = url
      box.hidden = !url
    }
    // Whatever the browser cannot read, the server judges.
    image.addEventListener('error', () => image.getAttribute('src') !== before && show(before))
    input.addEventListener('change', () => {
      const [file] = input.files
      if (!file) return show(before)
      const reader = new FileReader()
      reader.addEventListener('load', () => show(reader.result))
      reader.readAsDataURL(file)
    })
    show(before)
  }
})()
