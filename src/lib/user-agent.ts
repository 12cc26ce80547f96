/** What a browser says it is, in the two words a person would use. */

/** The first that fits counts: others say they are Chrome and Safari as well. */
const browsers: [RegExp, string][] = [
  [/Edg(?:e|A|iOS)?\//, 'Edge'],
  [/OPR\/|Opera/, 'Opera'],
  [/SamsungBrowser\//, 'Samsung Internet'],
  [/Line\//, 'LINE'],
  [/FBAN|FBAV/, 'Facebook'],
  [/Firefox\/|FxiOS\//, 'Firefox'],
  [/Chrome\/|CriOS\/|Chromium\//, 'Chrome'],
  [/Version\/[\d.]+.*Safari\//, 'Safari'],
]
const systems: [RegExp, string][] = [
  [/iPad/, 'iPad'],
  [/iPhone|iPod/, 'iPhone'],
  [/Android/, 'Android'],
  [/CrOS/, 'Chromebook'],
  [/Windows/, 'Windows'],
  [/Mac OS X|Macintosh/, 'Mac'],
  [/Linux|X11/, 'Linux'],
]

/** `Chrome · Windows`; undefined for what is no browser we know. */
export function describeAgent(agent: string): string | undefined {
  const text = agent.slice(0, 500)
  const find = (list: [RegExp, string][]) => list.find(([looks]) => looks.test(text))?.[1]
  const words = [find(browsers), find(systems)].filter((one) => one !== undefined)
  return words.length > 0 ? words.join(' · ') : undefined
}
