/** Has people scroll terms to their end before they agree. Without it, the whole text stands above the box. */
;(() => {
  const text = document.getElementById('terms')
  const status = document.getElementById('terms-more')
  if (!text || !status) return
  const waiting = document.querySelectorAll('[data-after-terms]')
  text.classList.add('terms-frame')
  // Keyboards scroll what has the focus.
  text.tabIndex = 0

  const allow = (read) => {
    for (const one of waiting) one.disabled = !read
    status.textContent = read ? status.dataset.read : status.dataset.more
  }
  const look = () => {
    // A pixel is lost here and there when the page is zoomed.
    if (text.scrollTop + text.clientHeight < text.scrollHeight - 8) return
    allow(true)
    text.removeEventListener('scroll', look)
    window.removeEventListener('resize', look)
  }
  allow(false)
  text.addEventListener('scroll', look, { passive: true })
  window.addEventListener('resize', look)
  look()
})()
