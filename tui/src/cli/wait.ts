import { isErrorCode, AwlError } from '@awl/wire';
import type { NodeInUse } from './node-access.ts';
import { untilStopped } from './signals.ts';

/** Resolves at a signal to stop, or when the own node is asked to; rejects when another node goes first. */
export async function untilStoppedOrLost({ client, own }: NodeInUse, signal: AbortSignal): Promise<void> {
  const lost = client.closed.then(() => {
    if (signal.aborted || own) return;
    throw new AwlError('ERR_NODE_NOT_RUNNING', 'The node ended.');
  });
  await Promise.race([untilStopped(signal), own?.stopRequested ?? lost]);
}

/**
 * Resolves when the node is registered at its rendezvous, or has none. Rejects with the reason of the first try that failed; the node
 * itself keeps trying.
 */
export async function untilRegistered(
  { client, own }: Pick<NodeInUse, 'client' | 'own'>,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = async (): Promise<void> => {
    const { rendezvous } = (await client.snapshot()).state;
    // At its start a node of our own has none yet.
    if (rendezvous.status === 'connected' || (rendezvous.status === 'none' && !own)) return resolve();
    if (rendezvous.code === undefined) return;
    const code = isErrorCode(rendezvous.code) ? rendezvous.code : 'ERR_RENDEZVOUS_UNREACHABLE';
    reject(new AwlError(code, rendezvous.reason));
  };
  using _patches = client.subscribe((patch) => {
    if (patch.changes.some((change) => 'section' in change && change.section === 'rendezvous')) {
      look().catch(reject);
    }
  });
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  // The own node tells at once; of another one the state tells a moment later.
  own?.registered.then(resolve, reject);
  look().catch(reject);
  await promise;
}
