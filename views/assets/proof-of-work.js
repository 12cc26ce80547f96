/** Has the browser work while the page is read, and sends with the form what it found. Without it people wait instead. */
;(() => {
  const box = document.getElementById('captcha')
  const status = document.getElementById('f-proof')
  const input = box?.querySelector('input[name="proof"]')
  const form = input?.form
  if (!box || !status || !input || !form) return

  const fail = () => {
    status.textContent = box.dataset.failed
    held?.()
  }

  /** Pressed before the work was done: what was pressed is pressed again when it is. */
  let held
  let over = false
  form.addEventListener('submit', (event) => {
    if (over || event.submitter?.formNoValidate) return
    event.preventDefault()
    held = () => {
      over = true
      form.requestSubmit(event.submitter)
    }
  })

  // Browsers keep WebCrypto from pages that come over http.
  if (!window.Worker || !window.crypto?.subtle) {
    over = true
    return fail()
  }
  status.textContent = box.dataset.working
  const challenge = JSON.parse(box.dataset.challenge)
  const step = Math.min(4, Math.max(1, navigator.hardwareConcurrency || 2))
  const workers = Array.from({ length: step }, () => new Worker(box.dataset.worker))
  const end = () => {
    over = true
    for (const worker of workers) worker.terminate()
  }
  workers.forEach((worker, start) => {
    worker.addEventListener('error', () => {
      end()
      fail()
    })
    worker.addEventListener('message', ({ data: solution }) => {
      if (over) return
      end()
      if (!solution || solution.error) return fail()
      input.value = btoa(JSON.stringify({ challenge, solution }))
      status.textContent = box.dataset.ready
      held?.()
    })
    worker.postMessage({ type: 'work', challenge, counterStart: start, counterStep: step })
  })
})()
