import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { COMMANDS } from '../../lib/cli/commands.js'
import { run } from '../../lib/cli/run.js'

const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
const oneLine = /^[^\n]+\n$/

describe('The command line', () => {
  it('tells its version', async () => {
    for (const arg of ['--version', '-v']) {
      expect(await run([arg])).to.deep.equal({ exitCode: 0, stdout: `${version}\n`, stderr: '' })
    }
  })

  it('has help about itself and about each command, in both ways to ask', async () => {
    const all = await run(['help'])
    expect(all).to.deep.equal(await run(['--help']))
    expect(all).to.include({ exitCode: 0, stderr: '' })
    for (const name of COMMANDS.keys()) {
      expect(all.stdout).to.contain(`  ${name} `)
      const help = await run(['help', name])
      expect(help).to.deep.equal(await run([name, '--help']))
      expect(help.exitCode).to.equal(0)
      expect(help.stdout).to.match(new RegExp(`^Usage: npx passport-second-step ${name}\\b`))
    }
  })

  it('helps with the words of a command too', async () => {
    expect(await run(['help', 'tokens', 'import'])).to.deep.equal(await run(['help', 'tokens']))
    expect((await run(['help', 'tokens', 'export'])).exitCode).to.equal(2)
  })

  it('names "forever" in the help of what takes days', async () => {
    const { stdout } = await run(['help', 'pause'])
    expect(stdout).to.contain('--days N|forever').and.contain('--days forever')
  })

  const wrong: readonly [args: readonly string[], says: string, help: string][] = [
    [['kegen'], 'Unknown command "kegen".', 'help'],
    [['help', 'kegen'], 'Unknown command "kegen".', 'help'],
    [['help', 'reset', 'now'], 'Unexpected "now".', 'help reset'],
    [['keygen', 'twice'], 'Unexpected "twice".', 'help keygen'],
    [['keygen', '--size', '5'], "Unknown option '--size'.", 'help keygen'],
    [['keygen', '--version'], '--version is not an option of this command.', 'help keygen'],
    [['status', '--user'], "Option '--user <value>' argument missing.", 'help status'],
    [['status', '--user', '--json'], "Option '--user' argument is ambiguous.", 'help status'],
    [['--json'], 'No command.', 'help'],
    [['init', '--json', '--redis', 'x'], '--json is not an option of this command.', 'help init'],
    [
      ['status', '--config', 'x'],
      'No user: give --user ID, as your app knows the user by.',
      'help status',
    ],
    [
      ['pause', '--user', 'a', '--days', '0'],
      '--days must be a whole number, 1 to 365.',
      'help pause',
    ],
    [['reset', '--user', 'a', '--user', 'b'], '--user was given twice.', 'help reset'],
    [
      ['policy', '--config', 'x', '--role', 'admin=off', '--role=admin=required'],
      '--role admin was given twice.',
      'help policy',
    ],
    // "default" was left out in silence, and the rule was another than the one that was typed.
    [
      ['policy', '--config', 'x', '--accepts', 'staff=default,totp'],
      '--accepts must be one of totp, hotp, webauthn, one-time-code, backup-code.',
      'help policy',
    ],
    [
      ['policy', '--config', 'x', '--accepts', 'staff=defualt'],
      '--accepts must be one of totp, hotp, webauthn, one-time-code, backup-code, default.',
      'help policy',
    ],
  ]
  for (const [args, says, help] of wrong) {
    it(`answers "${args.join(' ')}" in one line, with exit code 2`, async () => {
      const { exitCode, stdout, stderr } = await run(args)
      expect([exitCode, stdout]).to.deep.equal([2, ''])
      expect(stderr).to.match(oneLine)
      expect(stderr).to.equal(`${says} See "npx passport-second-step ${help}".\n`)
    })
  }

  it('takes no beginning of a password for a host, where its slash or # is not escaped', async () => {
    for (const url of [
      'redis://app:123/45@cache:6379',
      'redis://app:123#45@cache',
      'redis://a:123?45@c',
    ]) {
      const { exitCode, stdout, stderr } = await run(['init', '--redis', url])
      expect([exitCode, stdout]).to.deep.equal([1, ''])
      expect(stderr)
        .to.contain('%2F')
        .and.not.match(/123|45/)
    }
  })

  it('lists the commands if none is given, with exit code 2', async () => {
    const { exitCode, stdout, stderr } = await run([])
    expect([exitCode, stdout]).to.deep.equal([2, ''])
    expect(stderr).to.equal((await run(['help'])).stdout)
  })
})
