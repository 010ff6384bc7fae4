import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import {
  decodeStun,
  encodeStun,
  formatIp,
  isStun,
  parseIp,
  stunStreamReader,
  verifyIntegrity,
  type StunAttributes,
  type StunContent,
} from '@awl/wire';

const KEY = Buffer.from('an attempt key of 32 bytes......');
const SEED = Number(process.env['AWL_TEST_SEED'] ?? 20261121);
const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');

test('STUN is told by its first byte (RFC 7983)', () => {
  for (const [byte, expected] of [
    [0, true],
    [3, true],
    [4, false],
    [20, false],
    [22, false],
    [64, false],
    [255, false],
  ] as const)
    assert.equal(isStun(byte), expected, String(byte));
  assert.equal(isStun(undefined), false);
});

// RFC 5769 §2.1 to §2.3: published packets. Their integrity is SHA-1, which is skipped; FINGERPRINT is checked.
const RFC5769_REQUEST =
  hex(`00 01 00 58 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae 80 22 00 10 53 54 55 4e 20 74 65 73
  74 20 63 6c 69 65 6e 74 00 24 00 04 6e 00 01 ff 80 29 00 08 93 2f f9 b1 51 26 3b 36 00 06 00 09 65 76 74 6a 3a 68 36 76 59
  20 20 20 00 08 00 14 9a ea a7 0c bf d8 cb 56 78 1e f2 b5 b2 d3 f2 49 c1 b5 71 a2 80 28 00 04 e5 7a 3b cf`);
const RFC5769_V4 =
  hex(`01 01 00 3c 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae 80 22 00 0b 74 65 73 74 20 76 65 63 74
  6f 72 20 00 20 00 08 00 01 a1 47 e1 12 a6 43 00 08 00 14 2b 91 f5 99 fd 9e 90 c3 8c 74 89 f9 2a f9 ba 53 f0 6b e7 d7 80 28
  00 04 c0 7d 4c 96`);
const RFC5769_V6 =
  hex(`01 01 00 48 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae 80 22 00 0b 74 65 73 74 20 76 65 63 74
  6f 72 20 00 20 00 14 00 02 a1 47 01 13 a9 fa a5 d3 f1 79 bc 25 f4 b5 be d2 b9 d9 00 08 00 14 a3 82 95 4e 4b e6 7b f1 17 84
  c9 7c 82 92 c2 75 bf e3 ed 41 80 28 00 04 c8 fb 0b 4c`);

test('the packets of RFC 5769 are read', () => {
  const request = decodeStun(RFC5769_REQUEST);
  assert.equal(request?.class, 'request');
  assert.equal(request.fingerprint, true);
  assert.deepEqual(request.attributes, {
    software: 'STUN test client',
    priority: 0x6e0001ff,
    iceControlled: 0x932ff9b151263b36n,
    username: 'evtj:h6vY',
  });
  assert.deepEqual(decodeStun(RFC5769_V4)?.attributes.xorMappedAddress, {
    address: '192.0.2.1',
    port: 32853,
  });
  assert.deepEqual(decodeStun(RFC5769_V6)?.attributes.xorMappedAddress, {
    address: '2001:db8:1234:5678:11:2233:4455:6677',
    port: 32853,
  });
});

test('a wrong FINGERPRINT is not STUN', () => {
  const packet = Buffer.from(RFC5769_V4);
  packet[30]! ^= 1;
  assert.equal(decodeStun(packet), undefined);
});

const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => formatIp(bytes));
const ipv6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => formatIp(bytes));
const address = fc.record({ address: fc.oneof(ipv4, ipv6), port: fc.nat(65535) }, { noNullPrototype: true });
const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const attributes: fc.Arbitrary<StunAttributes> = fc.record(
  {
    mappedAddress: address,
    xorMappedAddress: address,
    responseOrigin: address,
    otherAddress: address,
    sourceAddress: address,
    changedAddress: address,
    changeRequest: fc.record(
      { changeAddress: fc.boolean(), changePort: fc.boolean() },
      { noNullPrototype: true },
    ),
    responsePort: fc.nat(65535),
    username: fc.string({ unit: 'binary', maxLength: 100 }),
    software: fc.string({ unit: 'binary', maxLength: 100 }),
    priority: fc.nat(0x7fffffff),
    useCandidate: fc.constant(true as const),
    iceControlling: u64,
    iceControlled: u64,
    errorCode: fc.record(
      { code: fc.integer({ min: 300, max: 699 }), reason: fc.string({ maxLength: 60 }) },
      { noNullPrototype: true },
    ),
    unknownAttributes: fc.array(fc.nat(65535), { maxLength: 16 }),
    paddingBytes: fc.nat(200).map((n) => n * 4),
  },
  { requiredKeys: [], noNullPrototype: true },
);
const content: fc.Arbitrary<StunContent> = fc.record({
  class: fc.constantFrom('request', 'indication', 'response', 'error'),
  transactionId: fc.oneof(
    fc.uint8Array({ minLength: 12, maxLength: 12 }),
    fc.uint8Array({ minLength: 16, maxLength: 16, min: 0x40 }),
  ),
  attributes,
});

test('what is encoded comes back', () => {
  fc.assert(
    fc.property(content, fc.boolean(), fc.boolean(), (message, integrity, fingerprint) => {
      const packet = encodeStun(message, { ...(integrity ? { integrityKey: KEY } : {}), fingerprint });
      const decoded = decodeStun(packet);
      assert.ok(decoded);
      assert.equal(decoded.class, message.class);
      assert.deepEqual(Buffer.from(decoded.transactionId), Buffer.from(message.transactionId));
      assert.deepEqual(decoded.attributes, { ...message.attributes });
      assert.deepEqual(decoded.unknown, []);
      assert.equal(decoded.fingerprint, fingerprint);
      assert.equal(verifyIntegrity(decoded, KEY), integrity);
      assert.equal(verifyIntegrity(decoded, Buffer.from('another')), false);
    }),
    { seed: SEED, numRuns: 500 },
  );
});

const PLAIN: StunContent = {
  class: 'request',
  transactionId: Buffer.alloc(12, 7),
  attributes: { username: 'a:b', iceControlling: 5n, useCandidate: true },
};

test('no byte that integrity covers can be changed', () => {
  const packet = encodeStun(PLAIN, { integrityKey: KEY });
  for (let index = 0; index < packet.length; index++) {
    const changed = Buffer.from(packet);
    changed[index]! ^= 1;
    const decoded = decodeStun(changed);
    assert.ok(!decoded || !verifyIntegrity(decoded, KEY), `byte ${index}`);
  }
});

test('integrity may be cut to 16 bytes and no further (RFC 8489 §14.6)', () => {
  const whole = decodeStun(encodeStun(PLAIN, { integrityKey: KEY }));
  assert.ok(whole?.integrity);
  for (const [sizeBytes, accepted] of [
    [32, true],
    [16, true],
    [20, true],
    [12, false],
    [4, false],
    [0, false],
    [18, false],
  ] as const) {
    // A cut value is the head of an HMAC over a header that counts the cut value.
    const at = whole.integrity.offset;
    const cut = Buffer.from(whole.bytes.subarray(0, at + 4 + ((sizeBytes + 3) & ~3)));
    cut.writeUInt16BE(cut.length - 20, 2);
    cut.writeUInt16BE(sizeBytes, at + 2);
    const { createHmac } = process.getBuiltinModule('node:crypto');
    createHmac('sha256', KEY)
      .update(cut.subarray(0, at))
      .digest()
      .copy(cut, at + 4, 0, sizeBytes);
    const decoded = decodeStun(cut);
    assert.equal(decoded !== undefined && verifyIntegrity(decoded, KEY), accepted, `${sizeBytes} bytes`);
  }
});

test('what comes after integrity is ignored, but for FINGERPRINT', () => {
  const packet = encodeStun({ ...PLAIN, attributes: {} }, { integrityKey: KEY });
  const appended = Buffer.concat([packet, hex('00 25 00 00')]);
  appended.writeUInt16BE(appended.length - 20, 2);
  const decoded = decodeStun(appended);
  assert.ok(decoded);
  assert.equal(decoded.attributes.useCandidate, undefined);
  assert.ok(verifyIntegrity(decoded, KEY));
});

test('unknown attributes: required ones are reported, optional ones are not; at most 16', () => {
  const attribute = (type: number): Buffer => Buffer.from([type >> 8, type & 255, 0, 0]);
  const body = Buffer.concat([
    attribute(0x7777),
    attribute(0xc001),
    ...Array.from({ length: 40 }, (_, i) => attribute(0x4000 + i)),
  ]);
  const packet = Buffer.concat([encodeStun({ ...PLAIN, attributes: {} }), body]);
  packet.writeUInt16BE(body.length, 2);
  const unknown = decodeStun(packet)?.unknown;
  assert.equal(unknown?.length, 16);
  assert.equal(unknown[0], 0x7777);
  assert.ok(!unknown.includes(0xc001));
});

test('padToBytes pads to a size and not beyond a word of it', () => {
  for (const options of [{}, { fingerprint: true }, { integrityKey: KEY, fingerprint: true }])
    for (let padToBytes = 0; padToBytes < 200; padToBytes++) {
      const bare = encodeStun(PLAIN, options).length;
      const packet = encodeStun(PLAIN, { ...options, padToBytes });
      assert.ok(decodeStun(packet));
      assert.ok(packet.length >= padToBytes && packet.length < Math.max(bare + 1, padToBytes + 8));
    }
});

const BAD_PACKETS: readonly (readonly [name: string, packet: Buffer])[] = [
  ['nothing', Buffer.alloc(0)],
  ['a short header', Buffer.alloc(19)],
  ['a TURN allocate', hex(`0003 0000 2112a442 ${'00'.repeat(12)}`)],
  ['first bits set', hex(`8001 0000 2112a442 ${'00'.repeat(12)}`)],
  ['an odd length', hex(`0001 0003 2112a442 ${'00'.repeat(12)} 000000`)],
  ['a length beyond the packet', hex(`0001 0004 2112a442 ${'00'.repeat(12)}`)],
  ['a packet beyond the length', hex(`0001 0000 2112a442 ${'00'.repeat(12)} 00000000`)],
  ['an attribute beyond the end', hex(`0001 0004 2112a442 ${'00'.repeat(12)} 00060010`)],
  ['an address of no family', hex(`0101 000c 2112a442 ${'00'.repeat(12)} 0020 0008 0003 0000 00000000`)],
  ['an IPv6 address of 4 bytes', hex(`0101 000c 2112a442 ${'00'.repeat(12)} 0020 0008 0002 0000 00000000`)],
  ['an empty address', hex(`0101 0004 2112a442 ${'00'.repeat(12)} 0001 0000`)],
  ['a short error code', hex(`0111 0004 2112a442 ${'00'.repeat(12)} 0009 0000`)],
  [
    'an attribute after FINGERPRINT',
    Buffer.concat([encodeStun(PLAIN, { fingerprint: true }), Buffer.alloc(4)]),
  ],
];
for (const [name, packet] of BAD_PACKETS)
  test(`not a Binding message: ${name}`, () => assert.equal(decodeStun(packet), undefined));

const RUNS = process.env['AWL_FUZZ'] ? 1_000_000 : 200_000;
test(`${RUNS} damaged packets are read or refused, never thrown at`, () => {
  const seeds = [
    RFC5769_REQUEST,
    RFC5769_V4,
    RFC5769_V6,
    encodeStun(PLAIN, { integrityKey: KEY, padToBytes: 120 }),
  ];
  let state = SEED >>> 0;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  let read = 0;
  for (let run = 0; run < RUNS; run++) {
    const seed = seeds[random(seeds.length)]!;
    let packet = Buffer.from(seed);
    for (let change = random(4); change >= 0; change--) packet[random(packet.length)] = random(256);
    if (random(8) === 0) packet = packet.subarray(0, random(packet.length));
    // Half of them with a length that fits again, so that the attributes are reached.
    if (packet.length >= 20 && random(2) === 0) packet.writeUInt16BE(packet.length - 20, 2);
    const message = decodeStun(packet);
    if (message) {
      read++;
      verifyIntegrity(message, KEY);
    }
  }
  assert.ok(read > RUNS / 100, `${read} of ${RUNS} were still well formed (seed ${SEED})`);
});

test('a TCP stream cut anywhere gives the same messages', () => {
  const packets = [RFC5769_REQUEST, encodeStun(PLAIN), RFC5769_V6, encodeStun({ ...PLAIN, attributes: {} })];
  const stream = Buffer.concat(packets);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (cuts) => {
      const reader = stunStreamReader();
      const seen: Buffer[] = [];
      for (let offset = 0, turn = 0; offset < stream.length; turn++) {
        const end = offset + cuts[turn % cuts.length]!;
        assert.ok(reader.push(stream.subarray(offset, end), (message) => seen.push(Buffer.from(message))));
        offset = end;
      }
      assert.deepEqual(seen, packets);
      assert.equal(reader.pendingBytes, 0);
    }),
    { seed: SEED },
  );
});

for (const [name, header] of [
  ['a message of 64 KiB', '0001 fffc'],
  ['an odd length', '0001 0001'],
  ['TLS', '1603 0104'],
] as const)
  test(`a TCP stream with ${name} is given up, holding nothing`, () => {
    const reader = stunStreamReader();
    assert.equal(
      reader.push(hex(`${header} 2112a442 ${'00'.repeat(12)}`), () => assert.fail()),
      false,
    );
    assert.equal(
      reader.push(RFC5769_V4, () => assert.fail()),
      false,
    );
  });

test('addresses: text and bytes', () => {
  for (const text of [
    '0.0.0.0',
    '255.255.255.255',
    '192.0.2.1',
    '::',
    '::1',
    'fe80::1',
    '2001:db8::',
    '1:0:0:2::3',
    '2001:db8:0:1:1:1:1:1',
    '::ffff:192.0.2.1',
    '1:2:3:4:5:6:7:8',
  ])
    assert.equal(formatIp(parseIp(text)!), text);
  assert.equal(formatIp(parseIp('2001:0DB8::0:1')!), '2001:db8::1');
  assert.equal(formatIp(parseIp('fe80::1%eth0')!), 'fe80::1');
  for (const text of [
    '',
    '1.2.3',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4.5',
    ':',
    ':::',
    '1::2::3',
    '12345::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    'g::',
    '1.2.3.4::',
    '::1.2.3',
    'localhost',
    ':1:2:3:4:5:6:7',
  ])
    assert.equal(parseIp(text), undefined, text);
});

// A second opinion from an independent implementation.
interface Msimerson {
  decode(packet: Buffer): {
    getXorAddress(): { address: string; port: number };
    getUsername(): string;
    getPriority(): number;
    getError(): { code: number; reason: string };
  };
  createMessage(
    type: number,
    transaction: Buffer,
  ): {
    addUsername(name: string): void;
    addXorAddress(address: string, port: number): void;
    addAttribute(type: number, ...values: unknown[]): void;
    addFingerprint(): void;
    toBuffer(): Buffer;
  };
  validateFingerprint(message: unknown): boolean;
  constants: Record<string, number>;
}
const theirs = createRequire(import.meta.url)('@msimerson/stun') as Msimerson;

test('@msimerson/stun reads what we write', () => {
  const transactionId = randomBytes(12);
  const attributes: StunAttributes = {
    xorMappedAddress: { address: '198.51.100.7', port: 40001 },
    username: 'left:right',
    priority: 77,
  };
  const message = theirs.decode(
    encodeStun({ class: 'response', transactionId, attributes }, { integrityKey: KEY, fingerprint: true }),
  );
  const { address, port } = message.getXorAddress();
  assert.deepEqual({ address, port }, attributes.xorMappedAddress);
  assert.equal(message.getUsername(), 'left:right');
  assert.equal(message.getPriority(), 77);
  assert.equal(theirs.validateFingerprint(message), true);
  const error = theirs.decode(
    encodeStun({
      class: 'error',
      transactionId,
      attributes: { errorCode: { code: 420, reason: 'Unknown Attribute' } },
    }),
  );
  assert.equal(error.getError().code, 420);
});

test('we read what @msimerson/stun writes', () => {
  const transactionId = randomBytes(12);
  const message = theirs.createMessage(theirs.constants['STUN_BINDING_RESPONSE']!, transactionId);
  message.addUsername('left:right');
  message.addXorAddress('2001:db8::7', 5);
  message.addFingerprint();
  const decoded = decodeStun(message.toBuffer());
  assert.equal(decoded?.class, 'response');
  assert.deepEqual(decoded.transactionId, transactionId);
  assert.deepEqual(decoded.attributes, {
    username: 'left:right',
    xorMappedAddress: { address: '2001:db8::7', port: 5 },
  });
  assert.equal(decoded.fingerprint, true);
});
