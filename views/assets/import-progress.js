/** Moves the bar of an import. Without it there is a link that shows the page anew. */
;(() => {
  const box = document.getElementById('import-progress')
  const bar = document.getElementById('bar')
  const words = document.getElementById('bar-words')
  if (!box || !bar || !words) return
  let failures = 0
  const look = async () => {
    try {
      const answer = await fetch(box.dataset.url, { headers: { accept: 'application/json' } })
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status))
      const { state, behind, total, words: said } = await answer.json()
      // It is through, or somebody stopped it: the page looks different then.
      if (state !== box.dataset.state) return location.reload()
      bar.max = Math.max(1, Number(total))
      bar.value = Number(behind)
      words.textContent = said
      failures = 0
    } catch {
      failures++
    }
    // The link stays; who cannot be reached is not asked for ever.
    if (failures < 10) setTimeout(look, 2000 * (failures + 1))
  }
  setTimeout(look, 1500)
})()
