/** What routers are known to do wrong, and what a hostile one could try: each costs a mapping at most. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UpnpMapper } from '../src/upnp-mapper.ts';
import { FakeIgd, HOST, place } from './fake-igd.ts';

const never = new AbortController().signal;
const WISH = { protocol: 'udp', internalPort: 4000, lifetimeS: 7200 } as const;
const BOMB = `<!DOCTYPE a [<!ENTITY b "${'x'.repeat(100)}"><!ENTITY c "&b;&b;&b;&b;">]>`;

const CASES: readonly {
  readonly name: string;
  readonly spoil: (igd: FakeIgd) => unknown;
  /** A mapping in spite of it, or the message of the failure. */
  readonly expected: 'mapped' | RegExp;
}[] = [
  { name: 'IGD:1 served as text/html', spoil: (igd) => (igd.version = 1), expected: 'mapped' },
  {
    name: 'blank lines before the XML declaration and a NUL after its end',
    spoil: (igd) => (igd.spoil = (answer) => ({ ...answer, body: `\r\n\r\n${answer.body}\0` })),
    expected: 'mapped',
  },
  {
    name: 'elements without prefixes',
    spoil: (igd) =>
      (igd.spoil = (answer) => ({ ...answer, body: answer.body.replaceAll(/(<\/?)[su]:/g, '$1') })),
    expected: 'mapped',
  },
  {
    name: 'permanent leases only',
    spoil: (igd) => (igd.outcomes['AddAnyPortMapping'] = permanentOnly(igd)),
    expected: 'mapped',
  },
  {
    name: 'leases of zero, whatever was asked',
    spoil: (igd) =>
      (igd.outcomes['AddAnyPortMapping'] = () => {
        igd.table.set('UDP 4000', { client: HOST, internalPort: 4000, leaseS: 0 });
        return { NewReservedPort: 4000 };
      }),
    expected: 'mapped',
  },
  {
    name: 'an answer without the port',
    spoil: (igd) => (igd.outcomes['AddAnyPortMapping'] = () => ({})),
    expected: 'mapped',
  },
  {
    name: 'a port of nonsense',
    spoil: (igd) => (igd.outcomes['AddAnyPortMapping'] = () => ({ NewReservedPort: '99999999' })),
    expected: 'mapped',
  },
  {
    name: 'entries that it shows nobody',
    spoil: (igd) => (igd.outcomes['GetSpecificPortMappingEntry'] = () => 606),
    expected: 'mapped',
  },
  {
    name: 'an external port that must equal the internal one',
    spoil: (igd) => {
      igd.version = 1;
      igd.outcomes['AddPortMapping'] = samePortOnly(igd);
    },
    expected: 'mapped',
  },
  {
    name: 'a yes that is a lie',
    spoil: (igd) => (igd.outcomes['AddAnyPortMapping'] = () => ({ NewReservedPort: 4000 })),
    expected: /its table does not show it/,
  },
  {
    name: 'port mapping turned off',
    spoil: (igd) => (igd.outcomes['AddAnyPortMapping'] = () => 403),
    expected: /refused: 403/,
  },
  {
    name: 'every port taken',
    spoil: (igd) => {
      igd.version = 1;
      igd.outcomes['AddPortMapping'] = () => 718;
    },
    expected: /refused: 718/,
  },
  {
    name: 'no external address',
    spoil: (igd) => (igd.externalAddress = ''),
    expected: /no external address/,
  },
  {
    name: 'the address 0.0.0.0',
    spoil: (igd) => (igd.externalAddress = '0.0.0.0'),
    expected: /no external address/,
  },
  {
    name: 'an address of nonsense',
    spoil: (igd) => (igd.externalAddress = '1.2.3.4.evil'),
    expected: /no external address/,
  },
  {
    name: 'garbage for a description',
    spoil: (igd) => (igd.description = () => '\u0000\u0001 not xml <<<'),
    expected: /no router/,
  },
  { name: 'an empty description', spoil: (igd) => (igd.description = () => ''), expected: /no router/ },
  {
    name: '10 MB of XML',
    spoil: (igd) => (igd.description = () => `<root>${'<a/>'.repeat(2_500_000)}</root>`),
    expected: /no router/,
  },
  {
    name: '60 KiB of nested elements',
    spoil: (igd) => (igd.description = () => '<a>'.repeat(20_000)),
    expected: /no router/,
  },
  {
    name: 'elements nested a hundred deep',
    spoil: (igd) => (igd.description = () => `${'<a>'.repeat(100)}${'</a>'.repeat(100)}`),
    expected: /no router/,
  },
  {
    name: 'entities that grow',
    spoil: (igd) => {
      const { description } = igd;
      igd.description = () => description.call(igd).replace('?>', `?>${BOMB}`).replace('Fake', '&c;');
    },
    expected: /no router/,
  },
  {
    name: 'a redirect',
    spoil: (igd) =>
      (igd.spoil = () => ({ status: 302, headers: { location: 'http://evil.example/' }, body: '' })),
    expected: /no router/,
  },
  {
    name: 'a redirect of the control URL',
    spoil: (igd) =>
      (igd.spoil = (answer, { method }) =>
        method === 'GET' ? answer : { ...answer, status: 307, body: '' }),
    expected: /HTTP status 307/,
  },
  {
    name: 'garbage for an answer',
    spoil: (igd) =>
      (igd.spoil = (answer, { method }) => (method === 'GET' ? answer : { ...answer, body: '<a>' })),
    expected: /not understood/,
  },
  {
    name: 'a location on another host',
    spoil: (igd) => (igd.location = 'http://198.51.100.1:5000/rootDesc.xml'),
    expected: /no router/,
  },
  {
    name: 'a location of nonsense',
    spoil: (igd) => (igd.location = 'javascript:alert(1)'),
    expected: /no router/,
  },
  {
    name: 'a control URL on another host',
    spoil: (igd) => {
      const { description } = igd;
      igd.description = () =>
        description.call(igd).replaceAll(/<controlURL>[^<]*/g, '<controlURL>http://198.51.100.1/ctl');
    },
    expected: /no router/,
  },
  {
    name: 'a URLBase on another host, which is not followed',
    spoil: (igd) => {
      const { description } = igd;
      igd.description = () =>
        description.call(igd).replace('<device>', '<URLBase>http://198.51.100.1/</URLBase><device>');
    },
    expected: 'mapped',
  },
  {
    name: 'answers from another machine',
    spoil: (igd) => (igd.from = '192.168.1.66'),
    expected: /no router/,
  },
  {
    name: 'a search answer of garbage',
    spoil: (igd) =>
      (igd.search = () => ['', 'x'.repeat(5000), 'HTTP/1.1 404 No\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n']),
    expected: /no router/,
  },
];

describe('a router with', () => {
  for (const { name, spoil, expected } of CASES)
    it(name, async () => {
      const igd = new FakeIgd();
      spoil(igd);
      const { parts, clock } = place(igd);
      const mapped = clock.complete(new UpnpMapper(parts).map(WISH, never));
      if (expected === 'mapped') {
        const mapping = await mapped;
        assert.deepEqual([mapping.externalPort, mapping.lifetimeS], [4000, 7200]);
        assert.equal(igd.table.get('UDP 4000')?.client, HOST);
      } else await assert.rejects(mapped, { message: expected });
      assert.deepEqual(
        igd.urls.filter((url) => !url.startsWith('http://192.168.1.1:5000/')),
        [],
      );
    });

  it('a description that never comes: the search ends in time', async () => {
    const igd = new FakeIgd();
    igd.spoil = () => new Promise(() => {});
    const { parts, clock } = place(igd);
    assert.equal(await clock.complete(new UpnpMapper(parts).discover(never)), undefined);
    assert.equal(clock.now(), 2500);
  });

  it('a hundred locations: four are tried', async () => {
    const igd = new FakeIgd();
    let count = 0;
    igd.search = () =>
      Array.from(
        { length: 100 },
        () => `HTTP/1.1 200 OK\r\nLocation: http://192.168.1.1:${++count}/\r\n\r\n`,
      );
    igd.description = () => '<root/>';
    const { parts, clock } = place(igd);
    assert.equal(await clock.complete(new UpnpMapper(parts).discover(never)), undefined);
    assert.equal(igd.urls.length, 4);
  });
});

function permanentOnly(igd: FakeIgd) {
  return (args: Map<string, string>) => {
    if (args.get('NewLeaseDuration') !== '0') return 725;
    igd.table.set('UDP 4000', { client: HOST, internalPort: 4000, leaseS: 0 });
    return { NewReservedPort: 4000 };
  };
}

function samePortOnly(igd: FakeIgd) {
  return (args: Map<string, string>) => {
    if (args.get('NewExternalPort') !== args.get('NewInternalPort')) return 724;
    igd.table.set('UDP 4000', { client: HOST, internalPort: 4000, leaseS: 7200 });
    return {};
  };
}
