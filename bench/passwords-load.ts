/** Machines that fetch tokens while a crowd waits for its passwords to be checked. */
import { performance } from 'node:perf_hooks'
import { authorizePaths, clientCredentials, Failure, findForm } from './flows.ts'
import { type Http, openBrowser, openHttp } from './http.ts'
import { percentiles } from './numbers.ts'
import { localAccount, password, type Site } from './site.ts'

export type PasswordResult = {
  signedIn: number
  failures: string[]
  seconds: number
  /** Of the machines' requests, alone and while the crowd waits. */
  alone: { p50: number; p99: number; count: number }
  during: { p50: number; p99: number; count: number }
}

/** Machines ask this often: one every five milliseconds, whether the last one was answered or not. */
const everyMs = 5

export async function measurePasswords({ site, crowd }: { site: Site; crowd: number }) {
  const people = openHttp(site, crowd)
  const machines = openHttp(site, 16)
  const submits = await Promise.all(
    Array.from({ length: crowd }, (_, n) => openSignInPage(people, site, n)),
  )
  await steadily(machines, site, new Promise((resolve) => setTimeout(resolve, 500)))
  const alone = await steadily(machines, site, new Promise((resolve) => setTimeout(resolve, 2_000)))

  const started = performance.now()
  const answers = Promise.allSettled(submits.map((submit) => submit()))
  const during = await steadily(machines, site, answers)
  const seconds = (performance.now() - started) / 1000
  const settled = await answers
  const failures = settled.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []))
  await Promise.all([people.close(), machines.close()])
  return {
    signedIn: crowd - failures.length,
    failures: [...failures, ...alone.failures, ...during.failures],
    seconds,
    alone: alone.latency,
    during: during.latency,
  } satisfies PasswordResult
}

/** Opens the sign-in page in a browser of its own; what it gives sends the form. */
async function openSignInPage(http: Http, site: Site, n: number): Promise<() => Promise<void>> {
  const browser = openBrowser(http)
  const account = localAccount(n)
  const { location = '' } = await browser.get(authorizePaths(site, { account, password }).signIn)
  const page = await browser.get(location)
  const form = findForm(page.body)
  if (!form) throw new Failure(`no sign-in page: ${page.status} ${page.body.slice(0, 200)}`)
  const fields = { form_token: form.token, account, password }
  return async () => {
    const answer = await browser.post(form.action, new URLSearchParams(fields).toString())
    if (answer.status !== 303) throw new Failure(`sign-in: ${answer.status}`)
  }
}

/** Sends requests at a steady pace until `over`, and times each from when it was due. */
async function steadily(http: Http, site: Site, over: Promise<unknown>) {
  const latencies: number[] = []
  const failures: string[] = []
  const open: Promise<void>[] = []
  let due = performance.now()
  const send = async (from: number) => {
    try {
      await clientCredentials(http, site)
      latencies.push(performance.now() - from)
    } catch (error) {
      failures.push(String(error))
    }
  }
  const timer = setInterval(() => {
    for (; due <= performance.now(); due += everyMs) open.push(send(due))
  }, 1)
  await over
  clearInterval(timer)
  await Promise.all(open)
  return { latency: { ...percentiles(latencies), count: latencies.length }, failures }
}
