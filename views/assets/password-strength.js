/** Tells how strong a new password is while it is typed. Without it nothing is missing: the server judges. */

const load = (url) =>
  new Promise((resolve, reject) => {
    const script = document.createElement('script')
    script.src = url
    script.onload = resolve
    script.onerror = reject
    document.head.append(script)
  })

/** 240 kB with its dictionary: fetched when somebody comes to a password, once a page. */
let estimator
const open = ({ estimator: url, passwords }) => {
  estimator ??= Promise.all([load(url), load(passwords)]).then(() => {
    const { core, 'language-common': common } = window.zxcvbnts
    const { dictionary, adjacencyGraphs: graphs } = common
    // As the server has it (accounts/password-rules.ts).
    return new core.ZxcvbnFactory({ dictionary, graphs, maxLength: 64 })
  })
  return estimator
}

for (const box of document.querySelectorAll('.strength')) {
  const input = document.getElementById(box.dataset.for)
  const about = box.dataset.about.split(' ').flatMap((id) => document.getElementById(id) ?? [])
  const meter = box.querySelector('meter')
  const text = box.querySelector('[role="status"]')
  const strengths = box.dataset.strengths.split('|')

  const judge = (zxcvbn) => {
    const password = input.value.normalize('NFC')
    box.hidden = password === ''
    const short = [...password].length < Number(box.dataset.min)
    const known = about.flatMap(({ value }) => [value, ...value.split(/[\s@._-]+/)]).filter(Boolean)
    const { score } = short ? { score: 0 } : zxcvbn.check(password, known)
    meter.value = score
    text.textContent = short
      ? box.dataset.short
      : box.dataset.is.replace('{strength}', () => strengths[score])
  }

  const start = async () => {
    const zxcvbn = await open(box.dataset)
    // Read aloud when a word is finished, not at every key.
    let pause
    const soon = () => {
      clearTimeout(pause)
      pause = setTimeout(judge, 250, zxcvbn)
    }
    input.addEventListener('input', soon)
    soon()
  }
  // Who counts her megabytes is judged by the server only.
  if (!input || navigator.connection?.saveData) continue
  if (document.activeElement === input) start()
  else input.addEventListener('focus', start, { once: true })
}
