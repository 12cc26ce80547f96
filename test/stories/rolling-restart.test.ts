/** nginx before two instances on one PostgreSQL, which are restarted one after the other while people sign in. */
import { spawn } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openBrowser } from '../helpers/browser.ts'
import { createPostgres, dropPostgres, temporaryFolder } from '../helpers/database.ts'
import { ensurePackages, peerPackages } from '../helpers/debian.ts'
import { freePort } from '../helpers/free-port.ts'
import { beginLoad } from '../helpers/load.ts'
import { later, prepare, startProgram, until, writeConfig } from '../helpers/program.ts'
import { arrivedAt } from '../helpers/relying-party.ts'

test.before(async () => {
  await ensurePackages(peerPackages.nginx)
})

/** What matters of deploy/nginx/citygate.conf, without TLS. */
async function startNginx(t: ExecutionContext, port: number, upstreams: string[]) {
  const folder = temporaryFolder(t)
  chmodSync(folder, 0o755)
  const servers = upstreams.map((one) => `server 127.0.0.1:${one} max_fails=2 fail_timeout=5s;`)
  writeFileSync(
    join(folder, 'nginx.conf'),
    `
daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 512; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((one) => `${one}_temp_path ${folder}/${one};`).join(' ')}
  upstream citygate { ${servers.join(' ')} keepalive 32; keepalive_timeout 4s; }
  server {
    listen 127.0.0.1:${port};
    listen [::1]:${port};
    location / {
      proxy_pass http://citygate;
      proxy_http_version 1.1;
      proxy_set_header Connection '';
      proxy_set_header Host $host:$server_port;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_connect_timeout 2s;
      proxy_next_upstream error timeout;
      proxy_next_upstream_tries 2;
      proxy_buffer_size 16k; proxy_buffers 8 16k; proxy_busy_buffers_size 32k;
    }
  }
}`,
  )
  const nginx = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], {
    stdio: 'inherit',
  })
  const ended = new Promise((resolve) => nginx.once('exit', resolve))
  t.teardown(async () => {
    nginx.kill('SIGTERM')
    await ended
  })
}

for (const WORKERS of ['1', '2'])
  test.serial(
    `instances with WORKERS=${WORKERS} are restarted one after the other under load: no request fails, and who began before ends after`,
    async (t) => {
      const [front, ...ports] = [await freePort(), await freePort(), await freePort()].map(String)
      const issuer = `http://localhost:${front}`
      const where = await createPostgres()
      t.teardown(() => dropPostgres(where))
      const common = {
        ISSUER: issuer,
        HOST: '127.0.0.1',
        SANDBOX: 'off',
        TRUSTED_PROXIES: '127.0.0.1,::1',
        DATABASE_URL: where.url,
        DATABASE_POOL: '5',
        DATA_DIR: temporaryFolder(t),
        LOG_LEVEL: 'error',
        WORKERS,
        CITYGATE_CONFIG: writeConfig(
          t,
          '\nlimits: { clients: { requests_per_second: 10000 }, sources: { requests_per_minute: 100000 } }\n',
        ),
      }
      const prepared = await prepare(common, { people: 7, firstParty: false })
      const start = (PORT: string) => startProgram(t, { ...common, PORT })
      const instances = await Promise.all(ports.map(start))
      await startNginx(t, Number(front), ports)
      const up = async () => (await fetch(`${issuer}/jwks`).catch(() => undefined))?.status === 200
      t.true(await until(up))

      const { rp, people } = prepared
      const [early, ...others] = people
      const waiting = openBrowser()
      const begun = await rp.begin(waiting, { prompt: 'consent' })
      const load = beginLoad(
        issuer,
        { ...prepared, people: others },
        { restMs: 200, people: 3, machines: 5 },
      )
      /** So many sign-ins and four times as many machines go well from now on. */
      const goesOn = (signIns: number) => {
        const { 'sign-in': people = 0, machine = 0 } = load.done
        const goal = { 'sign-in': people + signIns, machine: machine + 4 * signIns }
        return until(() =>
          (['sign-in', 'machine'] as const).every((what) => (load.done[what] ?? 0) >= goal[what]),
        )
      }
      t.true(await goesOn(1))
      const took: number[] = []
      for (const [i, port] of ports.entries()) {
        const ended = await instances[i]?.end('SIGTERM')
        t.is(ended?.exit, 0)
        took.push(Math.round(ended?.ms ?? 0))
        t.true(await goesOn(3), 'while one is away')
        await start(port)
        // Until `fail_timeout` is over nginx does not believe that it is back.
        await later(5_500)
        t.true(await goesOn(3), 'when it is back')
      }
      await load.stop()
      t.deepEqual(load.failures, [])

      const asked = await waiting.submit(begun, 'local-form', early)
      const back = await waiting.submit(asked, 'consent-form', { decision: 'allow' })
      t.true(arrivedAt(rp, back), back.html)
      t.is((await rp.redeem(back.url)).status, 200)
      t.log(`${JSON.stringify(load.done)}, instances ended within ${took.join(' and ')} ms`)
    },
  )
