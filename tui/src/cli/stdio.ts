import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Commands } from '@awl/api';
import { AwlError } from '@awl/wire';
import type { NodeInUse } from './node-access.ts';

type Request = Omit<Commands['forward.add']['params'], 'listen' | 'store'>;

/** Connects standard input and output to the peer's service until either side ends. */
export async function pipeStdio(node: NodeInUse, request: Request, signal: AbortSignal): Promise<void> {
  const { stream, done } = await openService(node, request);
  try {
    // Both directions end by themselves; the service's end is what ends the command, as ssh expects.
    process.stdin.pipe(stream);
    await pipeline(stream, process.stdout, { signal, end: false });
  } finally {
    process.stdin.destroy();
    await done();
  }
}

/** A stream straight from the own node; through a loopback port of the running one. */
async function openService(
  node: NodeInUse,
  request: Request,
): Promise<{ stream: Duplex; done: () => Promise<unknown> }> {
  if (node.own) {
    const stream = await node.own.engine.openStream(request);
    return { stream, done: async () => stream.destroy() };
  }
  const { forward, listen } = await node.client.command('forward.add', { ...request, listen: '127.0.0.1:0' });
  const port = Number(listen.slice(listen.lastIndexOf(':') + 1));
  const socket = connect(port, '127.0.0.1');
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (cause) => reject(new AwlError('ERR_INTERNAL', cause.message, { cause })));
  });
  return {
    stream: socket,
    async done() {
      socket.destroy();
      await node.client.command('forward.remove', { forward });
    },
  };
}
