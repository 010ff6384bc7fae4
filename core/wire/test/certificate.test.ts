import assert from 'node:assert/strict';
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import { test } from 'node:test';
import { decodeBase32, encodeBase32, isPeerId, makeCertificate, peerIdOf, shortPeerId } from '@awl/wire';

test('a certificate verifies under its own key and always comes out the same', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const certificate = makeCertificate(privateKey);
  const parsed = new X509Certificate(certificate.pem);
  assert.equal(parsed.verify(publicKey), true);
  assert.equal(parsed.verify(generateKeyPairSync('ed25519').publicKey), false);
  assert.equal(parsed.subject, 'CN=awl');
  assert.equal(parsed.validToDate.getUTCFullYear(), 9999);
  assert.deepEqual(parsed.raw, certificate.der);
  assert.deepEqual(makeCertificate(privateKey).der, certificate.der);
  assert.deepEqual(
    parsed.publicKey.export({ type: 'spki', format: 'der' }),
    publicKey.export({ type: 'spki', format: 'der' }),
  );
});

test('a peer id is the base32 SHA-256 of the key', () => {
  // RFC 8410 §10.3's key; the hash by `openssl pkey -pubout -outform DER | openssl dgst -sha256`.
  const key = createPrivateKey(
    '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n',
  );
  const peerId = peerIdOf(createPublicKey(key).export({ type: 'spki', format: 'der' }));
  assert.equal(peerId, 'uhurkycu4bh2zcm25hzhkezm3qd2lw6e5iwcvu5b77dobustnapq');
  assert.ok(isPeerId(peerId));
  assert.equal(shortPeerId(peerId), `${peerId.slice(0, 4)}-${peerId.slice(4, 8)}`);
  for (const other of ['', peerId.slice(1), `${peerId}a`, peerId.toUpperCase(), `${peerId.slice(0, 51)}b`]) {
    assert.equal(isPeerId(other), false, other);
  }
});

test('base32: the vectors of RFC 4648 §10, one spelling each', () => {
  for (const [plain, encoded] of [
    ['', ''],
    ['f', 'my'],
    ['fo', 'mzxq'],
    ['foo', 'mzxw6'],
    ['foob', 'mzxw6yq'],
    ['fooba', 'mzxw6ytb'],
    ['foobar', 'mzxw6ytboi'],
  ] as const) {
    assert.equal(encodeBase32(Buffer.from(plain)), encoded);
    assert.deepEqual(Buffer.from(decodeBase32(encoded) ?? []), Buffer.from(plain));
    assert.deepEqual(decodeBase32(encoded.toUpperCase()), decodeBase32(encoded));
  }
  for (const bad of ['a', 'mz', 'mzx', 'm1', 'm y', 'mzxw6a7b='])
    assert.equal(decodeBase32(bad), undefined, bad);
  for (let length = 0; length < 70; length++) {
    const bytes = randomBytes(length);
    assert.deepEqual(Buffer.from(decodeBase32(encodeBase32(bytes)) ?? []), bytes);
  }
});
