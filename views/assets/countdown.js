/** Locks what may not be pressed yet and counts down to it. Without it the words beside say how long it takes. */
;(() => {
  for (const button of document.querySelectorAll('button[data-seconds]')) {
    const words = document.getElementById(`${button.id}-wait`)
    const ready = document.getElementById(`${button.id}-ready`)
    if (!words || !ready) continue
    const until = Date.now() + Number(button.dataset.seconds) * 1000
    button.disabled = true
    const tick = () => {
      const left = Math.ceil((until - Date.now()) / 1000)
      if (left > 0) {
        // Not announced: a voice that counts every second lets nobody read anything else.
        words.textContent = words.dataset.wait.replace('{seconds}', String(left))
        return
      }
      clearInterval(timer)
      button.disabled = false
      words.textContent = ''
      ready.textContent = ready.dataset.ready
    }
    const timer = setInterval(tick, 1000)
    tick()
  }
})()
