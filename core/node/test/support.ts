import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@awl/api';
import { UNKNOWN_BEHAVIOUR, type EngineState } from '@awl/api';
import { AwlError } from '@awl/wire';

/** A private directory that is gone after the test. */
export async function temporaryDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'awl-test-'));
  await chmod(path, 0o700);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export const soon: Clock = {
  now: () => performance.now(),
  schedule(_delayMs, task) {
    const immediate = setImmediate(task);
    return { [Symbol.dispose]: () => clearImmediate(immediate) };
  },
};

/** Passes for an AwlError of this code whose message has this in it. */
export function failsWith(code: string, message: RegExp = /./) {
  return (error: unknown): true => {
    if (!(error instanceof AwlError)) throw error;
    if (error.code !== code || !message.test(error.message)) {
      throw new Error(`expected ${code} ${message}, got ${error.code} ${error.message}`);
    }
    return true;
  };
}

export const emptyState: EngineState = {
  node: { name: 'test', peerId: 'p', version: '0', startedAt: 0, simulated: false },
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
};
