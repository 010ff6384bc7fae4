import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UNKNOWN_BEHAVIOUR, type EngineState } from '@awl/api';
import { FAKE_NOW, fakeClient } from '@awl/testkit';
import stringWidth from 'string-width';
import { stage } from './harness.tsx';

const nothing = (state: EngineState): EngineState => ({
  ...state,
  rendezvous: { url: '', status: 'none' },
  nat: {
    status: 'unknown',
    behaviour: { udp: UNKNOWN_BEHAVIOUR, tcp: UNKNOWN_BEHAVIOUR },
    evidence: [],
    publicAddresses: [],
    mappings: [],
  },
  peers: {},
  attempts: {},
  shares: {},
  forwards: {},
  plugins: {},
  views: {},
  statusItems: {},
  commands: {},
  log: [],
});

const EMPTY: readonly (readonly [string, string, RegExp])[] = [
  ['1', 'overview', /Nobody here yet/],
  ['2', 'peer', /No peer yet/],
  ['3', 'forwards', /None\. Press a to add one/],
  ['4', 'plugins', /No plugins/],
  ['5', 'NAT lab', /unknown until this network is measured/],
  ['6', 'log', /Nothing has happened yet/],
];

test('each screen says what to do while it is empty', async () => {
  using screen = stage(fakeClient({ state: nothing }));
  await screen.sees('Nobody here yet');
  assert.match(screen.text(), /not measured yet/);
  assert.match(screen.text(), /no rendezvous/);
  for (const [key, name, expected] of EMPTY) {
    await screen.press(key);
    assert.match(screen.text(), expected, name);
  }
});

test('an engine that is gone leaves figures that are said to be old', async () => {
  const client = fakeClient();
  let now = FAKE_NOW;
  using screen = stage(client, { now: () => now });
  await screen.sees('office');
  now += 30_000;
  client.close();
  await screen.sees('The node is gone. What you see is from 30 s ago');
  await screen.press('q');
  assert.equal(screen.hasQuit, true);
});

test('a lost rendezvous is told with its reason', async () => {
  using screen = stage(
    fakeClient({
      state: (state) => ({
        ...state,
        rendezvous: { url: 'awl://rv.example.org:7777', status: 'lost', reason: 'it did not answer' },
      }),
    }),
  );
  await screen.sees('✗ lost: it did not answer');
});

test('while measuring, the old verdict stays, and it is said', async () => {
  using screen = stage(
    fakeClient({ state: (state) => ({ ...state, nat: { ...state.nat, status: 'measuring' } }) }),
  );
  const text = await screen.sees('measuring');
  assert.match(text, /one port for everyone/);
});

test('two long verdicts push the facts out of the panel, and do not mix with them', async () => {
  const random = { natted: true, mapping: 'APDM', allocation: 'random' } as const;
  const udp = { ...UNKNOWN_BEHAVIOUR, ...random, filtering: 'APDF' } as const;
  const tcp = { ...UNKNOWN_BEHAVIOUR, ...random };
  using screen = stage(
    fakeClient({
      state: (state) => ({ ...state, nat: { ...state.nat, behaviour: { udp, tcp, ipv6: false } } }),
    }),
    { columns: 110, rows: 32 },
  );
  const text = await screen.sees('This network');
  assert.match(text, /ports at random, filtering unknown/);
  assert.match(text, /Also known as symmetric +│/);
});

test('a failed attempt: why, what helps, how each strategy fared', async () => {
  using screen = stage(fakeClient(), { columns: 120 });
  await screen.sees('cabin');
  await screen.press('down', 'down', 'down', 'enter');
  const text = await screen.sees('The last race');
  for (const expected of [
    'no path',
    'Why: both sides block UDP (ERR_PATH_UDP_BLOCKED)',
    'What helps: Turn on port mapping',
    'tcp-birthday',
    '≈ 10 %',
    'none of 900 dials was answered',
  ])
    assert.ok(text.includes(expected), `${expected}\n${text}`);
});

test('a race as it runs: chance, state, probes of the budget, what is left; esc cancels it', async () => {
  const client = fakeClient();
  using screen = stage(client, { columns: 120 });
  await screen.sees('laptop-mia');
  await screen.press('down', 'down', 'enter');
  const text = await screen.sees('Race');
  assert.match(
    text,
    /udp-birthday +≈ 99 % +running ▓▓▓░░░░ +612 \/ 1500 +≈ 0\.4 s left +512 ports open there/,
  );
  assert.match(text, /lan-direct +– +skipped .*other gateway/);
  assert.match(text, /clock offset \+3\.1 ms/);
  assert.match(text, /tcp-simultaneous-open +≈ 5 % +waiting +0 \/ 20 +in 600 ms/);
  await screen.press('esc');
  await screen.sees('Attempt cancelled');
  assert.deepEqual(client.given.at(-1), { name: 'attempt.cancel', params: { attempt: 'a-mia' } });
  await screen.sees('cancelled');
  await screen.press('esc', 'esc');
  await screen.sees('This network');
});

test('a connected peer: figures, throughput over two spans, paths', async () => {
  using screen = stage(fakeClient(), { columns: 100, rows: 40 });
  await screen.sees('office');
  await screen.press('down', 'enter');
  const text = await screen.sees('Throughput');
  for (const expected of [
    'RTT 41 ms',
    'loss 0.2 %',
    '↑ 18.0 MB/s',
    '3 streams',
    'last 60 s',
    'turn-relay',
    'lasted 212 ms',
    'their ports go up by 2',
    'server-reflexive',
  ])
    assert.ok(text.includes(expected), `${expected}\n${text}`);
  await screen.press('t');
  await screen.sees('last 10 min');
});

test('the NAT lab: matrix, verdicts, evidence; r measures', async () => {
  const client = fakeClient();
  using screen = stage(client, { columns: 100, rows: 30 });
  await screen.sees('office');
  await screen.press('m');
  assert.match(
    await screen.sees('This network × all'),
    /APDM\/APDF ports at random +yes +≈ 500 ms +udp-birthday/,
  );
  await screen.press('right');
  assert.match(await screen.sees('What this NAT does'), /Hairpin +no +90 %/);
  await screen.press('right');
  await screen.sees('nothing came from 203.0.113.2:7778');
  await screen.press('r');
  assert.deepEqual(client.given.at(-1), { name: 'nat.measure', params: { full: true } });
});

test('the log: level, search, following', async () => {
  const client = fakeClient();
  using screen = stage(client);
  await screen.sees('office');
  await screen.press('6');
  assert.doesNotMatch(await screen.sees('level info'), /consent renewed/);
  await screen.press('v', 'v');
  const errors = await screen.sees('level error');
  assert.match(errors, /no path: both sides block UDP/);
  assert.doesNotMatch(errors, /trying again/);
  await screen.press('v', '/', 'consent', 'enter');
  assert.match(await screen.sees('containing "consent"'), /nas: consent renewed/);
  await screen.press('esc');
  client.push({ log: [{ id: 99, at: FAKE_NOW, level: 'info', source: 'test', text: 'a new line' }] });
  await screen.sees('a new line');
});

for (const [columns, rows] of [
  [80, 24],
  [60, 16],
  [100, 30],
  [120, 40],
  [300, 60],
] as const) {
  test(`every screen fits ${columns}×${rows}`, async () => {
    using screen = stage(fakeClient({ peers: 60 }), { columns, rows });
    await screen.sees('office');
    for (const key of ['1', '2', '3', '4', '5', '6', '?', 'x', ':', 'esc', 'c', 'esc']) {
      await screen.press(key);
      const lines = screen.text().split('\n');
      assert.ok(lines.length <= rows, `${key}: ${lines.length} lines`);
      for (const line of lines) assert.ok(stringWidth(line) <= columns, `${key}: ${line}`);
    }
  });
}

test('a terminal that is too small says so, and the app comes back when it grows', async () => {
  using screen = stage(fakeClient(), { columns: 40, rows: 12 });
  await screen.sees('Too small');
  assert.match(screen.text(), /40×12/);
  screen.resize(100, 30);
  await screen.sees('office');
  screen.resize(50, 30);
  await screen.sees('Too small');
});

test('hostile names do nothing to the terminal, and columns line up behind wide ones', async () => {
  const names = [
    '\u001B[2J\u001B]0;owned\u0007x',
    'of\u202Efice',
    '日本語サーバー',
    '👨‍👩‍👧‍👦',
    'z\u0336\u0336\u0336\u0336',
    'two\r\nlines',
  ];
  const hostile = (state: EngineState): EngineState => ({
    ...state,
    peers: Object.fromEntries(
      Object.values(state.peers).map((peer, index) => [peer.id, { ...peer, name: names[index] ?? '' }]),
    ),
  });
  using screen = stage(fakeClient({ state: hostile }), { columns: 140, hasColour: false });
  await screen.sees('日本語サーバー');
  for (const bad of ['\u001B[2J', '\u001B]', '\u0007', '\u202E', '\u200D'])
    assert.ok(!screen.raw().includes(bad), JSON.stringify(bad));
  const lines = screen.text().split('\n');
  const heading = lines.find((line) => line.includes('RTT')) ?? '';
  const at = stringWidth(heading.slice(0, heading.indexOf('State')));
  for (const state of ['connected', 'punching', 'no path', 'offline']) {
    const line = lines.find((each) => each.includes(` ${state} `) || each.includes(`\uFFFD ${state}`)) ?? '';
    assert.equal(stringWidth(line.slice(0, line.indexOf(state))), at, line);
  }
});

test('without colour nothing but weight is set', async () => {
  using screen = stage(fakeClient(), { hasColour: false });
  await screen.sees('office');
  assert.doesNotMatch(
    screen.raw(),
    new RegExp(`${String.fromCodePoint(27)}\\[(3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]`),
  );
});

test('read aloud, a peer is a sentence', async () => {
  using screen = stage(fakeClient(), { isSpoken: true });
  const text = await screen.sees('Peer office');
  assert.match(text, /Peer office, State connected, Path direct · udp\/kcp, RTT 41 ms/);
  assert.doesNotMatch(text, /[╭╮╰╯▁▂▃▄▅▆▇█■□]/);
});

test('ten thousand peers: the cursor moves through them', async () => {
  using screen = stage(fakeClient({ peers: 10_000 }));
  await screen.sees('of 10006');
  await screen.press('G');
  await screen.sees('–10006 of 10006');
  await screen.press('pageDown', 'up', 'g');
  await screen.sees('1–');
});
