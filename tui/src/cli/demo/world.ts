import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNode, type NodeHandle } from '@awl/node';
import { startRendezvous, type RendezvousServer } from '@awl/rendezvous';
import { VERSION } from '../version.ts';

/** A rendezvous and two nodes on this machine, with homes that are gone at the end. */
export interface DemoWorld extends AsyncDisposable {
  readonly rendezvous: RendezvousServer;
  /** Shares a service. */
  readonly office: NodeHandle;
  /** Uses it. */
  readonly laptop: NodeHandle;
}

export async function startWorld(): Promise<DemoWorld> {
  await using scope = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'awl-demo-'));
  scope.defer(() => rm(directory, { recursive: true, force: true }));
  const rendezvous = scope.use(await startRendezvous({ host: '127.0.0.1', port: 0, altPort: 0 }));
  const start = async (name: string): Promise<NodeHandle> =>
    scope.use(
      await startNode({
        version: VERSION,
        home: join(directory, name),
        overrides: { name, rendezvous: { url: rendezvous.url } },
      }),
    );
  const office = await start('office');
  const laptop = await start('laptop');
  await Promise.all([office.registered, laptop.registered]);
  const resources = scope.move();
  return { rendezvous, office, laptop, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}
