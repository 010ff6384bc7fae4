import assert from 'node:assert/strict';
import test from 'node:test';
import { answer, awl, homes } from './support/awl.ts';

test('help, version and usage have their exit codes', async (t) => {
  const cases: [args: string[], code: number, stdout: RegExp, stderr: RegExp][] = [
    [
      ['--help'],
      0,
      /Usage: awl[\s\S]*Exit codes: 0 ok, 1 failed, 2 usage, 3 no path to the peer, 4 refused/,
      /^$/,
    ],
    [['--version'], 0, /^\d+\.\d+\.\d+\n$/, /^$/],
    [['share', '--help'], 0, /Examples:\n  \$ awl share 8080/, /^$/],
    [['forward', '--help'], 0, /add[\s\S]*ls[\s\S]*rm/, /^$/],
    [['conect'], 2, /^$/, /unknown command 'conect'[\s\S]*Did you mean connect/],
    [['share'], 2, /^$/, /missing required argument 'target'/],
    [['share', '80', '--transport', 'pigeon'], 2, /^$/, /Allowed choices are any, udp, tcp/],
    [['share', '80', '--expires', 'soon'], 2, /^$/, /--expires is soon[\s\S]*ERR_USAGE/],
    [['share', '80', '--rendezvous', 'http://x'], 2, /^$/, /not the URL of a rendezvous[\s\S]*ERR_USAGE/],
    [['rendezvous', '--port', '70000'], 2, /^$/, /--port is 70000/],
    [['connect'], 2, /^$/, /A ticket or the name of a peer is missing/],
    [['connect', 'awl1', '--ticket-file', 'x'], 2, /^$/, /Both a ticket and --ticket-file/],
    [['completion', 'tcsh'], 2, /^$/, /no completion for tcsh/],
    [[], 2, /^$/, /needs a terminal[\s\S]*awl status/],
    [['status'], 1, /^$/, /No node runs with this AWL_HOME[\s\S]*awl up[\s\S]*ERR_NODE_NOT_RUNNING/],
  ];
  await using places = await homes();
  for (const [args, code, stdout, stderr] of cases) {
    await t.test(`awl ${args.join(' ')}`, async () => {
      const result = await awl(args, { home: places.path('none') });
      assert.match(result.stderr, stderr);
      assert.match(result.stdout, stdout);
      assert.equal(result.code, code);
    });
  }
});

test('completion knows commands and options', async () => {
  const cases: [words: string[], expected: RegExp][] = [
    [['conn'], /^connect\t/m],
    [['connect', '--l'], /^--listen\t/m],
    [['share', '80', '--transport', ''], /^udp/m],
    [['plugin', 'en'], /enable/],
  ];
  for (const [words, expected] of cases) {
    const { stdout, code } = await awl(['complete', '--', ...words]);
    assert.match(stdout, expected);
    assert.equal(code, 0);
  }
  for (const shell of ['bash', 'zsh', 'fish']) {
    assert.match((await awl(['completion', shell])).stdout, /awl/);
  }
});

test('the configuration is set, read, listed and checked without a node', async () => {
  await using places = await homes();
  const home = places.path('a');
  const set = await awl(['config', 'set', 'limits.sockets', '99'], { home });
  assert.equal(set.code, 0);
  assert.deepEqual(await answer(['config', 'get', 'limits.sockets'], { home }), {
    key: 'limits.sockets',
    value: 99,
  });
  await awl(['config', 'set', 'password', 'correct-horse'], { home });
  assert.equal((await awl(['config', 'get', 'password'], { home })).stdout, 'correct-horse\n');
  const listed = await awl(['config', 'ls'], { home });
  assert.match(listed.stdout, /limits\.sockets +99/);
  assert.doesNotMatch(listed.stdout, /correct-horse/);
  const cases: [args: string[], message: RegExp][] = [
    [['config', 'set', 'nmae', 'x'], /no configuration key "nmae"[\s\S]*ERR_CONFIG_INVALID/],
    [['config', 'set', 'limits.sockets', 'many'], /\/limits\/sockets must be integer/],
    [['config', 'set', 'transport', 'pigeon'], /must be one of any, udp, tcp/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await awl(args, { home });
    assert.match(stderr, message);
    assert.equal(code, 1);
  }
  const edited = await awl(['config', 'edit'], { home, env: { EDITOR: `sed -i s/99/0/` } });
  assert.match(edited.stderr, /awl\.config\.json: \/limits\/sockets must be >= 1/);
});

test('plugins are listed, explained, enabled and disabled without a node', async () => {
  await using places = await homes();
  const home = places.path('a');
  const { plugins } = await answer<{ plugins: { id: string; status: string }[] }>(['plugin', 'ls'], { home });
  assert.deepEqual(
    plugins.map(({ id }) => id),
    ['lan-direct', 'nat-pmp-pcp', 'tcp-simultaneous-open', 'udp-kcp', 'upnp'],
  );
  assert.equal(plugins.find(({ id }) => id === 'upnp')?.status, 'disabled');
  await answer(['plugin', 'enable', 'upnp'], { home });
  const explained = await awl(['plugin', 'explain', 'upnp'], { home });
  assert.match(explained.stdout, /part of awl/);
  assert.doesNotMatch(explained.stdout, /State: disabled/);
  await answer(['plugin', 'disable', 'upnp'], { home });
  const unknown = await awl(['plugin', 'enable', 'nothing'], { home });
  assert.match(unknown.stderr, /ERR_PLUGIN_UNKNOWN/);
  assert.equal(unknown.code, 1);
});

test('the systemd unit is written, hardened, and removed', async () => {
  await using places = await homes();
  const options = { home: places.path('a'), env: { XDG_CONFIG_HOME: places.path('config') } };
  const { unit } = await answer<{ unit: string }>(['service', 'install', '--no-start'], options);
  const { readFile } = await import('node:fs/promises');
  const text = await readFile(unit, 'utf8');
  for (const line of [
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    `ReadWritePaths="${options.home}"`,
    'UMask=0077',
  ]) {
    assert.ok(text.includes(line), line);
  }
  assert.match(text, /ExecStart="[^"]+node" "[^"]+awl\.js" up\n/);
  const removed = await answer<{ removed: boolean }>(['service', 'uninstall'], options);
  assert.equal(removed.removed, true);
  assert.deepEqual(await answer(['service', 'uninstall'], options), { unit, removed: false });
});
