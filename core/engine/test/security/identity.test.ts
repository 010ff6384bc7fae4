import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import {
  createIdentity,
  decodeIdentity,
  encodeIdentity,
  identityRecord,
  verifyPublicIdentity,
} from '@awl/engine';
import { AwlError, peerIdOf } from '@awl/wire';

test('an identity survives its key file', () => {
  const identity = createIdentity();
  const read = decodeIdentity(encodeIdentity(identity));
  assert.equal(read.peerId, identity.peerId);
  assert.equal(read.certificatePem, identity.certificatePem);
  assert.deepEqual(identityRecord(read), identityRecord(identity));
  assert.equal(
    peerIdOf(new X509Certificate(read.certificatePem).publicKey.export({ type: 'spki', format: 'der' })),
    read.peerId,
  );
});

test('a seeded source gives the same identity', () => {
  const bytes = (length: number): Buffer => Buffer.alloc(length, 7);
  assert.equal(createIdentity({ bytes }).peerId, createIdentity({ bytes }).peerId);
});

test('damaged key files are refused', () => {
  const good = encodeIdentity(createIdentity());
  const [first = '', second = ''] = good.match(/-----BEGIN[^]*?-----END PRIVATE KEY-----\n/g) ?? [];
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  });
  const table = {
    empty: '',
    'one key': first,
    'three keys': good + second,
    'swapped keys': second + first,
    'another kind of key': first + rsa,
    'damaged base64': good.replace('MC4CAQ', 'MC4AAQ'),
    'cut off': good.slice(0, -40),
    'too large': good + ' '.repeat(5000),
  };
  for (const [name, text] of Object.entries(table)) {
    assert.throws(
      () => decodeIdentity(text),
      (error) => error instanceof AwlError && error.code === 'ERR_KEY_FILE',
      name,
    );
  }
});

test('only a record that proves itself is taken', () => {
  const record = identityRecord(createIdentity());
  const other = identityRecord(createIdentity());
  assert.equal(verifyPublicIdentity(record)?.peerId, record.peerId);
  const table = {
    "another's id": { ...record, peerId: other.peerId },
    "another's key": { ...record, spki: other.spki },
    "another's seal key": { ...record, sealKey: other.sealKey },
    "another's seal key with its signature": {
      ...record,
      sealKey: other.sealKey,
      sealSignature: other.sealSignature,
    },
    'no signature': { ...record, sealSignature: '' },
    'a short seal key': { ...record, sealKey: record.sealKey.slice(4) },
    'key with a tail': { ...record, spki: `${record.spki}AAAA` },
    'no key': { ...record, spki: '' },
    'not base64': { ...record, spki: '\u0000{}' },
  };
  for (const [name, forged] of Object.entries(table))
    assert.equal(verifyPublicIdentity(forged), undefined, name);
});
