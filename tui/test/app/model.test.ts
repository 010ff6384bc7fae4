import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UNKNOWN_BEHAVIOUR, type BehaviourVector, type TransportBehaviour } from '@awl/api';
import { fakeState } from '@awl/testkit';
import { placeColumns, shrinkColumns } from '../../src/app/model/columns.ts';
import {
  checkListen,
  checkName,
  checkRendezvous,
  checkTarget,
  completeListen,
} from '../../src/app/model/endpoints.ts';
import { fuzzyFilter } from '../../src/app/model/fuzzy.ts';
import { fitHints, GLOBAL_KEYS, SCREEN_KEYS } from '../../src/app/model/keys.ts';
import { natFields, natWords } from '../../src/app/model/nat-words.ts';
import { paletteItems } from '../../src/app/model/palette.ts';
import { listPeers, peerRow } from '../../src/app/model/peers.ts';
import { reachOf } from '../../src/app/model/reach.ts';
import { settingFields } from '../../src/app/model/settings.ts';

const columns = [
  { key: 'a', title: 'A', min: 10, max: 20, priority: 0 },
  { key: 'b', title: 'B', min: 10, priority: 2 },
  { key: 'c', title: 'C', min: 10, max: 30, priority: 1 },
];

test('columns are dropped by priority and widened up to their most', () => {
  const widths = (width: number): string =>
    placeColumns(columns, width)
      .map((column) => `${column.key}${column.width}`)
      .join(' ');
  assert.equal(widths(200), 'a20 b10 c30');
  assert.equal(widths(40), 'a16 b10 c10');
  assert.equal(widths(34), 'a10 b10 c10');
  assert.equal(widths(33), 'a20 c11');
  assert.equal(widths(21), 'a20');
  assert.equal(widths(5), 'a5');
  assert.deepEqual(
    shrinkColumns(columns, [{ cells: { a: 'x'.repeat(15), c: 'y' } }]).map((column) => column.max),
    [15, 10, 10],
  );
});

const known: TransportBehaviour = {
  ...UNKNOWN_BEHAVIOUR,
  blocked: false,
  natted: true,
  mapping: 'EIM',
  filtering: 'APDF',
  confidence: { mapping: 0.98, filtering: 0.9 },
};
const vector = (
  udp: Partial<TransportBehaviour>,
  tcp: Partial<TransportBehaviour> = udp,
): BehaviourVector => ({ udp: { ...known, ...udp }, tcp: { ...known, ...tcp } });

test('a NAT in words: what is unknown is called unknown', () => {
  assert.equal(natWords(UNKNOWN_BEHAVIOUR).text, 'unknown');
  assert.equal(natWords(UNKNOWN_BEHAVIOUR).confidence, '');
  assert.equal(
    natWords({ ...known, filtering: 'unknown' }).text,
    'one port for everyone (EIM), filtering unknown',
  );
  assert.equal(natWords(known).confidence, '90 %', 'no surer than its weakest part');
  assert.match(
    natWords({ ...known, mapping: 'APDM', allocation: 'contiguous', step: 2 }).text,
    /ports count up by 2/,
  );
  assert.match(natWords({ ...known, blocked: true }).text, /blocked/);
  assert.match(natWords({ ...known, natted: false, filtering: 'EIF' }).text, /no NAT/);
  assert.ok(
    natFields(UNKNOWN_BEHAVIOUR).every((field) => field.verdict === 'unknown' && field.confidence === ''),
  );
});

test('reach follows from both behaviours', () => {
  const count = (own: BehaviourVector, isMapped = false): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { reach } of reachOf(own, isMapped)) counts[reach] = (counts[reach] ?? 0) + 1;
    return counts;
  };
  const random = { mapping: 'APDM', allocation: 'random' } as const;
  assert.deepEqual(count(vector({})), { yes: 16 });
  assert.deepEqual(count(vector(random)), { yes: 13, 'opt-in': 2, no: 1 });
  assert.deepEqual(count(vector(random), true), { yes: 15, no: 1 }, 'a mapping opens UDP');
  assert.deepEqual(count(vector({ blocked: true }, random)), { yes: 9, no: 7 });
  assert.equal(
    count({ udp: UNKNOWN_BEHAVIOUR, tcp: UNKNOWN_BEHAVIOUR })['no'] ?? 0,
    0,
    'nothing is denied while nothing is known',
  );
});

test('peers: order, filter, rows', () => {
  const state = fakeState();
  const names = (filter?: string): string[] => listPeers(state.peers, filter).map((peer) => peer.name);
  assert.deepEqual(names(), ['nas', 'office', 'laptop-mia', 'cabin', 'registry', 'phone']);
  assert.deepEqual(names('no path'), ['cabin']);
  assert.deepEqual(names('OFF'), ['office', 'phone']);
  const office = state.peers['k3vd9qemo4w2office'];
  assert.ok(office?.path);
  const { rttMs: _rtt, lossRatio: _loss, ...bare } = office.path;
  const row = peerRow({ ...office, path: bare }, {}, 0, 10);
  assert.equal(row.cells['rtt'], '–', 'an unmeasured RTT is not 0');
  assert.equal(row.cells['loss'], '–');
  const away = peerRow({ ...office, status: 'reconnecting', path: { ...bare, until: 1000 } }, {}, 13_000, 10);
  assert.equal(away.cells['path'], 'was direct · udp/kcp, figures are 12 s old');
});

test('fuzzy search puts starts of words first', () => {
  const items = ['Go to Peer', 'Disconnect office', 'Connect to a peer or ticket', 'Turn on upnp'];
  const find = (query: string): string | undefined => fuzzyFilter(items, query, (item) => item)[0];
  assert.equal(find('con'), 'Connect to a peer or ticket');
  assert.equal(find('upnp'), 'Turn on upnp');
  assert.equal(find('gtp'), 'Go to Peer');
  assert.equal(find('xyz'), undefined);
  assert.equal(fuzzyFilter(items, '', (item) => item).length, 4);
});

test('the palette offers what can be done now', () => {
  const items = paletteItems(fakeState());
  const titles = new Set(items.map((item) => item.title));
  for (const title of [
    'Go to NAT lab',
    'Turn on upnp',
    'Turn off udp-kcp',
    'Connect to cabin',
    'Disconnect office',
    'Show statistics of lucky guesses',
    'Settings of Lucky ports',
    'Add a forward',
    'Quit',
  ])
    assert.ok(titles.has(title), title);
  assert.equal(new Set(items.map((item) => item.id)).size, items.length, 'ids are unique');
});

test('listeners, targets and names are checked', () => {
  for (const right of ['8585', ':8585', '127.0.0.1:8585', '[::1]:80', 'localhost:80'])
    assert.equal(checkListen(right), undefined, right);
  for (const wrong of ['', ':0', ':70000', 'x', '1.2.3.4', '1.2.3.4:', 'a b:80', '::1:80'])
    assert.notEqual(checkListen(wrong), undefined, wrong);
  for (const right of ['192.168.1.45:80', 'printer.local:631', '[fe80::1]:22'])
    assert.equal(checkTarget(right), undefined, right);
  for (const wrong of ['', '80', ':80', 'host', 'host:99999', 'a b:1'])
    assert.notEqual(checkTarget(wrong), undefined, wrong);
  assert.equal(completeListen(' :8585 '), '127.0.0.1:8585');
  assert.equal(completeListen('0.0.0.0:80'), '0.0.0.0:80');
  assert.equal(checkName('home-pc'), undefined);
  assert.notEqual(checkName('a b'), undefined);
  assert.equal(checkRendezvous('awl://rv.example.org:7777'), undefined);
  assert.equal(checkRendezvous(''), undefined);
  assert.notEqual(checkRendezvous('not a host'), undefined);
});

test('settings by their schema', () => {
  const fields = settingFields(fakeState().plugins['lucky-ports']?.settings ?? { values: {} });
  assert.deepEqual(
    fields.map((field) => [field.label, field.kind, field.initial]),
    [
      ['attempts', 'integer', '5'],
      ['spread', 'choice', 'narrow'],
      ['loud', 'choice', 'no'],
      ['label', 'text', ''],
    ],
  );
  const attempts = fields[0];
  assert.equal(attempts?.check('7'), undefined);
  for (const wrong of ['', '0', '21', '1.5', 'x']) assert.notEqual(attempts?.check(wrong), undefined, wrong);
  assert.equal(attempts?.parse('7'), 7);
  assert.equal(fields[2]?.parse('yes'), true);
  assert.deepEqual(settingFields({ schema: 'nonsense', values: {} }), []);
  assert.deepEqual(
    settingFields({ schema: { properties: { a: { type: 'object' }, b: null } }, values: {} }),
    [],
  );
});

test('help and quit are on the narrowest key bar', () => {
  for (const hints of Object.values(SCREEN_KEYS)) {
    const kept = fitHints([...hints, ...GLOBAL_KEYS], 58);
    assert.ok(kept.some((hint) => hint.key === '?') && kept.some((hint) => hint.key === 'q'));
  }
});
