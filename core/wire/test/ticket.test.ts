import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { AwlError, encodeTicket, formatIp, parseTicket, peerIdOf, ticketIdOf, type Ticket } from '@awl/wire';

const runs = { seed: 20260101, numRuns: 300 };
const spki = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' });
const EXPIRES = Date.UTC(2030, 0, 1);
const plain: Ticket = {
  peerId: peerIdOf(spki),
  secret: Buffer.alloc(16, 7),
  rendezvous: ['awl://rendezvous.example:7777#abcdef'],
  share: 'web',
  expiresAtMs: EXPIRES,
  candidates: [],
};
const text = encodeTicket(plain);

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((array) => Buffer.from(array));
const printable = (maxLength: number) =>
  fc
    .array(fc.integer({ min: 0x21, max: 0x7e }), { minLength: 1, maxLength })
    .map((codes) => String.fromCharCode(...codes));
const address = fc.oneof(bytes(4), bytes(16)).map((value) => formatIp(value));
const tickets = fc
  .record(
    {
      key: bytes(32),
      sealKey: fc.option(bytes(32)),
      secret: bytes(16),
      rendezvous: fc.array(
        printable(240).map((rest) => `awl://${rest}`),
        { maxLength: 4 },
      ),
      share: fc.stringMatching(/^[A-Za-z0-9._:@/-]{1,64}$/),
      expiresAtMs: fc.integer({ min: 0, max: 0xffff_ffff }).map((seconds) => seconds * 1000),
      candidates: fc.array(
        fc.record(
          {
            type: fc.constantFrom('host' as const, 'server-reflexive' as const, 'mapped' as const),
            protocol: fc.constantFrom('udp' as const, 'tcp' as const),
            endpoint: fc.record(
              { address, port: fc.integer({ min: 1, max: 65535 }) },
              { noNullPrototype: true },
            ),
          },
          { noNullPrototype: true },
        ),
        { maxLength: 8 },
      ),
    },
    { requiredKeys: ['key', 'sealKey', 'secret', 'rendezvous', 'candidates'], noNullPrototype: true },
  )
  .map(({ key, sealKey, ...rest }): Ticket => {
    const der = Buffer.concat([spki.subarray(0, 12), key]);
    return { ...rest, peerId: peerIdOf(der), ...(sealKey ? { keys: { spki: der, sealKey } } : {}) };
  });

function code(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof AwlError) return error.code;
    throw error;
  }
  return 'none';
}

test('a ticket says what was put in, for any content', () => {
  fc.assert(
    fc.property(tickets, (ticket) => {
      assert.deepEqual(parseTicket(encodeTicket(ticket)), ticket);
    }),
    runs,
  );
});

test('a ticket is found in the text around it', () => {
  const lines = text.match(/.{1,60}/g) ?? [];
  for (const around of [
    text,
    `  ${text}\n`,
    text.toUpperCase(),
    `"${text}"`,
    `'${text}',`,
    `<${text}>`,
    `**${text}**`,
    `awl connect ${text} --listen :8585`,
    JSON.stringify({ event: 'share.ready', ticket: text }),
    `The word drawl1 is none, awl1 is cut off, and here it is: ${text}.`,
    `${lines.join('\n')}\nand so on`,
    lines.map((line) => `> ${line}`).join('\r\n'),
    `https://example.org/#${text}`,
  ]) {
    assert.deepEqual(parseTicket(around), plain, around);
  }
});

test('errors name what is wrong', () => {
  const flipped = `${text.slice(0, 60)}${text[60] === 'a' ? 'b' : 'a'}${text.slice(61)}`;
  const swapped = text.slice(0, 40) + text[41] + text[40] + text.slice(42);
  for (const [name, input, expected, message] of [
    ['nothing', '  ', 'ERR_TICKET_MALFORMED', /empty/],
    ['no ticket', 'hello world', 'ERR_TICKET_MALFORMED', /no ticket/],
    ['the prefix alone', 'awl1', 'ERR_TICKET_MALFORMED', /cut off/],
    ['cut off', text.slice(0, -10), 'ERR_TICKET_MALFORMED', /cut off: \d+ of \d+/],
    ['letters too many', `${text}a`, 'ERR_TICKET_MALFORMED', /too many/],
    ['an absurd size', 'awl17777777777', 'ERR_TICKET_MALFORMED', /beginning/],
    ['a wrong letter', flipped, 'ERR_TICKET_CHECKSUM', /error/],
    ['two letters swapped', text[40] === text[41] ? flipped : swapped, 'ERR_TICKET_CHECKSUM', /error/],
    ['a novel', 'x'.repeat(70_000), 'ERR_TICKET_MALFORMED', /too long/],
  ] as [string, string, string, RegExp][]) {
    assert.throws(
      () => parseTicket(input),
      (error) => error instanceof AwlError && error.code === expected && message.test(error.message),
      name,
    );
  }
});

test('expiry is told only where the time is given', () => {
  assert.equal(
    code(() => parseTicket(text, EXPIRES)),
    'ERR_TICKET_EXPIRED',
  );
  assert.equal(
    code(() => parseTicket(text, EXPIRES - 1)),
    'none',
  );
  assert.equal(
    code(() => parseTicket(text)),
    'none',
  );
  const { expiresAtMs: _expires, ...endless } = plain;
  assert.equal(
    code(() => parseTicket(encodeTicket(endless), Number.MAX_SAFE_INTEGER)),
    'none',
  );
});

test('a changed letter never gives another ticket; hostile text never throws anything else', () => {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  fc.assert(
    fc.property(tickets, fc.nat(), fc.nat(31), (ticket, where, letter) => {
      const good = encodeTicket(ticket);
      const at = 4 + (where % (good.length - 4));
      const bad = good.slice(0, at) + alphabet[letter] + good.slice(at + 1);
      if (bad !== good)
        assert.match(
          code(() => parseTicket(bad)),
          /^ERR_TICKET_(MALFORMED|CHECKSUM)$/,
        );
    }),
    runs,
  );
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z2-7\s]{0,100}$/)), (rest) => {
      assert.match(
        code(() => parseTicket(`awl1${rest}`)),
        /^ERR_TICKET_/,
      );
    }),
    runs,
  );
});

test('fields are checked even behind a good checksum', async () => {
  const { decodeTicketFields } = await import('../src/ticket-fields.ts');
  const id = Buffer.concat([Buffer.of(1, 32), randomBytes(32)]);
  const secret = Buffer.concat([Buffer.of(3, 16), randomBytes(16)]);
  const candidate = Buffer.of(7, 7, 0, 0, 80, 192, 0, 2, 1);
  const url = Buffer.concat([Buffer.of(6, 3), Buffer.from('a:1')]);
  assert.ok(
    !(
      decodeTicketFields(Buffer.concat([id, secret, candidate, url, Buffer.of(99, 1, 0)])) instanceof AwlError
    ),
  );
  for (const [name, parts] of Object.entries({
    'no peer': [secret],
    'no secret': [id],
    'two peers': [id, id, secret],
    'hash and keys': [id, Buffer.concat([Buffer.of(2, 64), randomBytes(64)]), secret],
    'short keys': [Buffer.concat([Buffer.of(2, 63), randomBytes(63)]), secret],
    'a field cut off': [id, secret, Buffer.of(6, 9, 1)],
    'a lonely type': [id, secret, Buffer.of(6)],
    'a short expiry': [id, secret, Buffer.of(4, 1, 1)],
    'a share with an escape': [id, secret, Buffer.of(5, 1, 0x1b)],
    'a URL with a space': [id, secret, Buffer.of(6, 1, 0x20)],
    '5 URLs': [id, secret, url, url, url, url, url],
    '9 candidates': [id, secret, ...Array.from({ length: 9 }, () => candidate)],
    'port 0': [id, secret, Buffer.of(7, 7, 0, 0, 0, 1, 2, 3, 4)],
    'an unknown candidate type': [id, secret, Buffer.of(7, 7, 6, 0, 80, 1, 2, 3, 4)],
    'an address of 5 bytes': [id, secret, Buffer.of(7, 8, 0, 0, 80, 1, 2, 3, 4, 5)],
  })) {
    const result = decodeTicketFields(Buffer.concat(parts));
    assert.ok(result instanceof AwlError && result.code === 'ERR_TICKET_MALFORMED', name);
  }
});

test('no ticket is made of what could not be read', () => {
  const other = createPublicKey(generateKeyPairSync('ed25519').privateKey).export({
    type: 'spki',
    format: 'der',
  });
  for (const [name, change] of Object.entries<Partial<Ticket>>({
    'a short secret': { secret: Buffer.alloc(15) },
    'no peer id': { peerId: 'den' },
    '5 rendezvous': { rendezvous: Array.from({ length: 5 }, () => 'awl://a') },
    'another scheme': { rendezvous: ['http://a'] },
    "another's keys": { keys: { spki: other, sealKey: Buffer.alloc(32) } },
    'a share with a space': { share: 'a b' },
    'a host name': { candidates: [{ type: 'host', protocol: 'udp', endpoint: { address: 'den', port: 1 } }] },
  })) {
    assert.equal(
      code(() => encodeTicket({ ...plain, ...change })),
      'ERR_USAGE',
      name,
    );
  }
});

test('a ticket id tells nothing of the secret and is always the same', () => {
  const secret = randomBytes(16);
  assert.equal(ticketIdOf(secret), ticketIdOf(secret));
  assert.equal(Buffer.from(ticketIdOf(secret), 'base64url').length, 8);
  assert.notEqual(ticketIdOf(secret), ticketIdOf(randomBytes(16)));
});
