import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { addressBytes, addressText } from '../src/address.ts';
import { Epoch } from '../src/epoch.ts';
import {
  decodeExternalAddressResponse,
  decodeNatPmpMapResponse,
  encodeExternalAddressRequest,
  encodeNatPmpMapRequest,
} from '../src/nat-pmp-codec.ts';
import {
  decodeAnnounceResponse,
  decodePcpMapResponse,
  encodeAnnounceRequest,
  encodePcpMapRequest,
  type PcpMapRequest,
} from '../src/pcp-codec.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');

const MAP: PcpMapRequest = {
  protocol: 'tcp',
  clientAddress: '192.168.1.5',
  nonce: bytes('0102030405060708090a0b0c'),
  internalPort: 0x1234,
  externalPort: 0x5678,
  externalAddress: '0.0.0.0',
  lifetimeS: 7200,
};
const MAP_ANSWER =
  '02810000 00000e10 000003e8 000000000000000000000000' +
  '0102030405060708090a0b0c 06000000 12345678 00000000000000000000ffffcb007107';

describe('NAT-PMP', () => {
  it('asks as RFC 6886 §3.2 and §3.3 say', () => {
    assert.equal(hex(encodeExternalAddressRequest()), '0000');
    const request = { protocol: 'udp', internalPort: 0x1234, externalPort: 0x5678, lifetimeS: 7200 } as const;
    assert.equal(hex(encodeNatPmpMapRequest(request)), '000100001234567800001c20');
    assert.equal(hex(encodeNatPmpMapRequest({ ...request, protocol: 'tcp' })).slice(0, 4), '0002');
  });

  it('understands the answers', () => {
    assert.deepEqual(decodeExternalAddressResponse(bytes('00800000 000003e8 cb007107')), {
      result: 0,
      epochS: 1000,
      externalAddress: '203.0.113.7',
    });
    assert.equal(decodeExternalAddressResponse(bytes('00800003 000003e8'))?.result, 3);
    assert.deepEqual(decodeNatPmpMapResponse(bytes('00810000 000003e8 1234 5678 00001c20'), 'udp'), {
      result: 0,
      epochS: 1000,
      internalPort: 0x1234,
      externalPort: 0x5678,
      lifetimeS: 7200,
    });
  });

  for (const [name, text] of [
    ['empty', ''],
    ['a request', '00010000'],
    ['cut off', '00810000 000003e8 1234 5678 00001c'],
    ['of another version', '02810000 000003e8 1234 5678 00001c20'],
    ['for the other protocol', '00820000 000003e8 1234 5678 00001c20'],
  ] as const)
    it(`takes no answer that is ${name}`, () =>
      assert.equal(decodeNatPmpMapResponse(bytes(text), 'udp'), undefined));
});

describe('PCP', () => {
  it('asks as RFC 6887 §7.1 and §11.1 say', () => {
    assert.equal(
      hex(encodePcpMapRequest(MAP)),
      hex(
        bytes(
          '02010000 00001c20 00000000000000000000ffffc0a80105' +
            '0102030405060708090a0b0c 06000000 12345678 00000000000000000000ffff00000000',
        ),
      ),
    );
    assert.equal(
      hex(encodeAnnounceRequest('2001:db8::5')),
      hex(bytes('02000000 00000000 20010db8000000000000000000000005')),
    );
  });

  it('understands the answers', () => {
    assert.deepEqual(decodePcpMapResponse(bytes(MAP_ANSWER), MAP), {
      result: 0,
      lifetimeS: 3600,
      epochS: 1000,
      externalPort: 0x5678,
      externalAddress: '203.0.113.7',
    });
    const announce = '02800000 00000000 000003e8 000000000000000000000000';
    assert.equal(decodeAnnounceResponse(bytes(announce))?.result, 0);
    assert.equal(decodeAnnounceResponse(bytes('00800001 000003e8'))?.result, 1);
  });

  for (const [name, spoil] of [
    ['another nonce', (answer) => (answer[24] = 9)],
    ['another protocol', (answer) => (answer[36] = 17)],
    ['another internal port', (answer) => (answer[40] = 0)],
    ['another opcode', (answer) => (answer[1] = 0x82)],
    ['a request', (answer) => (answer[1] = 1)],
    ['another version', (answer) => (answer[0] = 1)],
  ] satisfies [string, (answer: Uint8Array) => unknown][])
    it(`takes no answer with ${name}`, () => {
      const answer = bytes(MAP_ANSWER);
      spoil(answer);
      assert.equal(decodePcpMapResponse(answer, MAP), undefined);
    });
});

describe('any bytes', () => {
  const check = { seed: 6887, numRuns: 2000 };
  const decoders = (payload: Uint8Array): void => {
    decodeExternalAddressResponse(payload);
    decodeAnnounceResponse(payload);
    for (const protocol of ['udp', 'tcp'] as const) {
      const answer = decodeNatPmpMapResponse(payload, protocol);
      assert.ok(!answer || (answer.externalPort <= 0xffff && answer.lifetimeS >= 0));
    }
    const answer = decodePcpMapResponse(payload, MAP);
    assert.ok(!answer || addressBytes(answer.externalAddress).length === 16);
  };

  it('are decoded or left alone, never an exception', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 1200 }), decoders), check);
  });

  it('so are damaged answers', () => {
    const original = [...bytes(MAP_ANSWER)];
    const damage = fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { maxLength: 6 });
    fc.assert(
      fc.property(damage, fc.nat(original.length), (changes, length) => {
        const answer = Uint8Array.from(original);
        for (const [index, value] of changes) answer[index] = value;
        decoders(answer.subarray(0, length));
      }),
      check,
    );
  });

  it('addresses survive the way there and back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (address) => {
        assert.deepEqual(addressBytes(addressText(address)), address);
      }),
      check,
    );
    fc.assert(
      fc.property(fc.ipV4(), (text) => assert.equal(addressText(addressBytes(text)), text)),
      check,
    );
    for (const text of ['', 'x', '1.2.3', '1.2.3.256', '::g', 'fe80::1%eth0', '1.2.3.4:5'])
      assert.throws(() => addressBytes(text), RangeError);
  });
});

describe('Epoch', () => {
  for (const [name, protocol, elapsedMs, after, lost] of [
    ['runs as the clock', 'pcp', 60_000, 1060, false],
    ['runs as the clock', 'nat-pmp', 60_000, 1060, false],
    ['runs a little slow', 'pcp', 60_000, 1055, false],
    ['runs an eighth slow', 'nat-pmp', 60_000, 1051, false],
    ['went back', 'pcp', 60_000, 3, true],
    ['went back', 'nat-pmp', 60_000, 3, true],
    ['stands still', 'pcp', 60_000, 1000, true],
    ['stands still', 'nat-pmp', 60_000, 1000, true],
    ['jumped ahead', 'pcp', 60_000, 9000, true],
    ['jumped ahead', 'nat-pmp', 60_000, 9000, false],
    ['answers two at once', 'pcp', 0, 999, false],
  ] as const)
    it(`${protocol}: a router whose epoch ${name} has ${lost ? 'lost its mappings' : 'kept its mappings'}`, () => {
      const epoch = new Epoch(protocol);
      assert.equal(epoch.lost(1000, 5000), false);
      assert.equal(epoch.lost(after, 5000 + elapsedMs), lost);
    });
});
