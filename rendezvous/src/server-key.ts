import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { AwlError, makeCertificate, peerIdOf } from '@awl/wire';

/** The server's own identity. */
export interface ServerKey {
  /** The id of the key; what stands after `#` in the URL. */
  readonly fingerprint: string;
  readonly keyPem: string;
  readonly certificatePem: string;
}

const FILE_NAME = 'rendezvous.key';

/** The key kept in `dataDir`, made on first use; without a directory a new one. Throws `ERR_KEY_FILE`, `ERR_STORAGE`. */
export function loadServerKey(dataDir: string | undefined): ServerKey {
  if (dataDir === undefined) return serverKey(generateKeyPairSync('ed25519').privateKey);
  const path = join(dataDir, FILE_NAME);
  return serverKey(readKey(path) ?? writeKey(dataDir, path));
}

function serverKey(privateKey: KeyObject): ServerKey {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return {
    fingerprint: peerIdOf(spki),
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    certificatePem: makeCertificate(privateKey).pem,
  };
}

function readKey(path: string): KeyObject | undefined {
  let pem: string;
  try {
    pem = readFileSync(path, 'utf8');
    if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0)
      throw new AwlError('ERR_KEY_FILE', `${path} can be read by others.`);
  } catch (error) {
    if (error instanceof AwlError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new AwlError('ERR_STORAGE', `${path} could not be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // Said below: what is in it matters less than that it is no key.
  }
  throw new AwlError('ERR_KEY_FILE', `${path} does not hold an Ed25519 key.`);
}

function writeKey(dataDir: string, path: string): KeyObject {
  const { privateKey } = generateKeyPairSync('ed25519');
  const temporary = `${path}.${process.pid}.new`;
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    rmSync(temporary, { force: true });
    const file = openSync(temporary, 'wx', 0o600);
    try {
      writeSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new AwlError('ERR_STORAGE', `${path} could not be written: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return privateKey;
}
