/** Which of two things is over first: true of a busy machine as of an idle one, where milliseconds are not. */
export async function isOverBefore(
  quick: Promise<unknown>,
  slow: Promise<unknown>,
): Promise<boolean> {
  const ends = (one: Promise<unknown>, isQuick: boolean) =>
    one.then(
      () => isQuick,
      () => isQuick,
    )
  return Promise.race([ends(quick, true), ends(slow, false)])
}
