/** The way back to a sign-in she left for her own pages: an open question of this browser's, and nowhere else. */

const uid = /^[\w-]{21,64}$/

export const backParam = (interaction: string): string => `back=${encodeURIComponent(interaction)}`

/** As a `state` that brings it through our own sign-in. */
export const backState = (interaction: string): string => `back.${interaction}`

/** What a query or a `state` says, if it is such a way back. Whose question it is, is asked where it leads. */
export function backIn({ back, state }: { back?: string; state?: string }): string | undefined {
  const wanted = back ?? /^back\.(.*)$/s.exec(state ?? '')?.[1] ?? ''
  return uid.test(wanted) ? wanted : undefined
}
