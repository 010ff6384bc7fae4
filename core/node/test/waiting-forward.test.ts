import assert from 'node:assert/strict';
import test from 'node:test';
import { StateStore, type Engine } from '@awl/engine';
import { AwlError } from '@awl/wire';
import { WaitingForward } from '../src/waiting-forward.ts';
import { emptyState, soon } from './support.ts';

const stored = { peer: 'office', listen: ':8585' };

function fakeEngine(forward: Engine['forward']): Engine {
  return {
    state: new StateStore(soon, emptyState),
    clock: soon,
    forward,
    unforward: async () => undefined,
  } as Partial<Engine> as Engine;
}

test('a stored forward waits for its peer, says why, and listens in the end', async () => {
  let tries = 0;
  const seen: (string | undefined)[] = [];
  const engine = fakeEngine(async () => {
    seen.push(engine.state.state.forwards['stored-1']?.code);
    tries += 1;
    if (tries < 3) throw new AwlError('ERR_PEER_OFFLINE');
    return { forward: 'f1', listen: '127.0.0.1:8585' };
  });
  const { promise, resolve } = Promise.withResolvers<string>();
  using _waiting = new WaitingForward(engine, 'stored-1', stored, resolve);
  assert.equal(await promise, 'f1');
  assert.deepEqual(seen, [undefined, 'ERR_PEER_OFFLINE', 'ERR_PEER_OFFLINE']);
  assert.equal(engine.state.state.forwards['stored-1'], undefined);
});

test('a forward that is removed while it waits is not tried again', async () => {
  let tries = 0;
  const { promise: tried, resolve } = Promise.withResolvers<void>();
  const engine = fakeEngine(async ({ signal }) => {
    tries += 1;
    resolve();
    await new Promise((_resolve, reject) =>
      signal?.addEventListener('abort', () => reject(signal.reason as Error)),
    );
    throw new Error('not reached');
  });
  const waiting = new WaitingForward(engine, 'stored-1', stored, () => assert.fail('it listened'));
  await tried;
  waiting[Symbol.dispose]();
  await new Promise(setImmediate);
  assert.equal(tries, 1);
  assert.equal(engine.state.state.forwards['stored-1'], undefined);
});
