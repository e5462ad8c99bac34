import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { freePort } from '../../test/support/redis-server.js'
import { comesAbout } from './waiting.js'

const READY_WITHIN = 10_000

/** An nginx in front of the apps. It says with each answer where it comes from. */
export interface Proxy {
  readonly url: string
  stop(): Promise<void>
}

/** @param ports of the apps, as the proxy reaches them */
export async function startProxy(folder: string, ports: readonly number[]): Promise<Proxy> {
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  await writeFile(file, configuration(folder, port, ports))
  const child = spawn('nginx', ['-c', file, '-p', folder, '-e', join(folder, 'nginx.log')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    // Debian has it where only root's path leads.
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
  })
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (cause) => reject(new Error('nginx did not start', { cause })))
    child.once('exit', (code) => reject(new Error(`nginx ended (${code}): see ${folder}`)))
  })
  failed.catch(() => undefined)
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
    const exit = once(child, 'exit')
    child.kill('SIGTERM')
    await exit
  }
  try {
    await Promise.race([comesAbout(() => listens(port), READY_WITHIN), failed])
  } catch (error) {
    await stop()
    throw error
  }
  return { url: `http://127.0.0.1:${port}`, stop }
}

/**
 * A request that an app may have seen is not sent to another one: nginx does so for no POST. What an app does not
 * answer within four seconds is the proxy's own 504.
 */
function configuration(folder: string, port: number, ports: readonly number[]): string {
  const servers = ports.map((each) => `server 127.0.0.1:${each} max_fails=1 fail_timeout=1s;`)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  // Its worker could not write into a folder of root's.
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  return `${user}
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
events { worker_connections 4096; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder}/nginx-${name};`).join('\n  ')}
  upstream apps {
    ${servers.join('\n    ')}
    keepalive 64;
  }
  server {
    listen 127.0.0.1:${port};
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Forwarded-For;
    location / {
      proxy_pass http://apps;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_connect_timeout 1s;
      proxy_read_timeout 4s;
      add_header X-Answered-By $upstream_addr always;
      add_header X-Answered-In $upstream_response_time always;
    }
  }
}
`
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const done = (is: boolean) => {
      socket.destroy()
      resolve(is)
    }
    socket.once('connect', () => done(true))
    socket.once('error', () => done(false))
  })
}
