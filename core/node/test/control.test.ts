import assert from 'node:assert/strict';
import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { applyPatch, type PeerState } from '@awl/api';
import { StateStore } from '@awl/engine';
import { AwlError } from '@awl/wire';
import { connectNode, type NodeClient, type NodeEvent } from '../src/client.ts';
import { controlPlace } from '../src/control/place.ts';
import { takeControl } from '../src/control/server.ts';
import type { RunCommand } from '../src/local-client.ts';
import { diskFiles } from '../src/storage/files.ts';
import { emptyState, failsWith, soon, temporaryDirectory } from './support.ts';

interface Served extends AsyncDisposable {
  readonly path: string;
  readonly state: StateStore;
  readonly warnings: string[];
  readonly token: string;
  emit(event: NodeEvent): void;
  client(): Promise<NodeClient>;
}

/** A control socket with a state and commands behind it, and no node. */
async function serve(run: RunCommand = async () => null): Promise<Served> {
  await using scope = new AsyncDisposableStack();
  const { path } = scope.use(await temporaryDirectory());
  const state = scope.use(new StateStore(soon, emptyState));
  const control = scope.use(await takeControl(path, diskFiles));
  const warnings: string[] = [];
  const listeners = new Set<(event: NodeEvent) => void>();
  control.serve({
    version: '0.1.0',
    peerId: 'me',
    warn: (text) => warnings.push(text),
    state,
    run,
    closed: new Promise(() => undefined),
    onEvent(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
  });
  const resources = scope.move();
  return {
    path,
    state,
    warnings,
    token: control.token,
    emit: (event) => listeners.forEach((listener) => listener(event)),
    client: async () => resources.use(await connectNode(path)),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

const peer = (id: string, name: string): PeerState => ({
  id,
  name,
  status: 'online',
  remembered: false,
  pathHistory: [],
  sentBytes: 0,
  receivedBytes: 0,
  sendRateBps: 0,
  receiveRateBps: 0,
  throughput: [],
  streams: 0,
});

const frame = (text: string): string => `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;

async function raw(served: Served): Promise<Socket> {
  const socket = connect(controlPlace(served.path).socket);
  await once(socket, 'connect');
  return socket;
}

test('the socket, its directory and its token are private', async () => {
  await using served = await serve();
  const place = controlPlace(served.path);
  const mode = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;
  assert.equal(await mode(place.directory), 0o700);
  assert.equal(await mode(place.socket), 0o600);
  assert.equal(await mode(place.token), 0o600);
});

test('a client takes a snapshot and follows by patches, and so do others at once', async () => {
  await using served = await serve();
  const clients = [await served.client(), await served.client(), await served.client()];
  const followed = clients.map(async (client) => {
    let snapshot = await client.snapshot();
    const { promise, resolve } = Promise.withResolvers<void>();
    using _patches = client.subscribe((patch) => {
      assert.equal(patch.sequence, snapshot.sequence + 1);
      snapshot = applyPatch(snapshot, patch);
      if (snapshot.state.peers['b']?.name === 'second') resolve();
    });
    served.state.apply({ collection: 'peers', id: 'a', value: peer('a', 'first') });
    served.state.apply({ collection: 'peers', id: 'b', value: peer('b', 'second') });
    await promise;
    return snapshot.state.peers;
  });
  for (const peers of await Promise.all(followed)) assert.deepEqual(peers, served.state.state.peers);
});

test('events reach clients with their time', async () => {
  await using served = await serve();
  const client = await served.client();
  const seen = new Promise<NodeEvent>((resolve) => client.onEvent(resolve));
  const event: NodeEvent = { event: 'session.closed', time: 5, peer: 'a', code: 'ERR_SESSION_LOST' };
  served.emit(event);
  assert.deepEqual(await seen, event);
});

test('commands are checked, run, fail with their code, and are cancelled', async () => {
  const { promise: aborted, resolve: onAborted } = Promise.withResolvers<unknown>();
  await using served = await serve(async (name, params, signal) => {
    if (name === 'share.add') return { share: 's1', ticket: JSON.stringify(params) };
    if (name === 'peer.ping') throw new AwlError('ERR_PATH_NONE', 'No way.', { remedy: 'Do this.' });
    onAborted(once(signal, 'abort'));
    await aborted;
    throw signal.reason;
  });
  const client = await served.client();
  const { ticket } = await client.command('share.add', { target: '80' });
  assert.equal(ticket, '{"target":"80"}');
  await assert.rejects(client.command('peer.ping', { peer: 'x' }), (error: AwlError) => {
    assert.deepEqual([error.code, error.message, error.remedy], ['ERR_PATH_NONE', 'No way.', 'Do this.']);
    return true;
  });
  const wrong: [name: string, params: unknown][] = [
    ['share.add', { target: 80 }],
    ['share.add', { target: '80', more: 1 }],
    ['share.add', { target: 'x'.repeat(301) }],
    ['share.add', null],
    ['toString', {}],
    ['__proto__', {}],
  ];
  for (const [name, params] of wrong) {
    await assert.rejects(
      client.command(name as 'share.add', params as never),
      failsWith('ERR_WIRE_SCHEMA'),
      name,
    );
  }
  const stop = new AbortController();
  const running = client.command('nat.measure', {}, stop.signal);
  const refused = assert.rejects(running, /enough/);
  setImmediate(() => stop.abort(new Error('enough')));
  await refused;
  await aborted;
  await assert.rejects(client.command('nat.measure', {}, stop.signal), /enough/);
});

test('without the token nothing is answered and the connection ends', async () => {
  await using served = await serve();
  await writeFile(controlPlace(served.path).token, 'another\n');
  await assert.rejects(served.client(), failsWith('ERR_CONTROL_REFUSED'));
  const socket = await raw(served);
  const closed = once(socket, 'close');
  const hello = { jsonrpc: '2.0', id: 1, method: 'hello', params: { token: 'wrong', version: '1' } };
  const answers: string[] = [];
  socket.on('data', (data: Buffer) => answers.push(data.toString()));
  socket.write(
    frame(JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'snapshot' })) + frame(JSON.stringify(hello)),
  );
  await closed;
  assert.doesNotMatch(answers.join(''), /"state"/);
});

test('hostile bytes end their own connection only', async (t) => {
  await using served = await serve();
  const bystander = await served.client();
  const cases: [name: string, bytes: string | Buffer][] = [
    ['HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['no header end', 'x'.repeat(10_000)],
    ['huge length', 'Content-Length: 99999999999\r\n\r\n'],
    ['length over the limit', 'Content-Length: 1000000\r\n\r\n'],
    ['negative length', 'Content-Length: -1\r\n\r\n'],
    ['zero length', 'Content-Length: 0\r\n\r\n'],
    ['two headers', 'Content-Length: 2\r\nContent-Type: x\r\n\r\n{}'],
    ['not JSON', frame('{{{{')],
    ['deep JSON', frame('['.repeat(100_000))],
    ['binary', Buffer.alloc(4096, 0xff)],
    ['broken cancellation', frame('{"jsonrpc":"2.0","method":"$/cancelRequest"}')],
    ['unknown notification', frame('{"jsonrpc":"2.0","method":"exit"}')],
  ];
  for (const [name, bytes] of cases) {
    await t.test(name, async () => {
      const socket = await raw(served);
      socket.on('error', () => undefined);
      const closed = once(socket, 'close');
      socket.write(bytes);
      socket.resume();
      await closed;
    });
  }
  assert.equal((await bystander.snapshot()).state.node.name, 'test');
  assert.ok(served.warnings.length >= cases.length);
});

test('a client that does not read misses patches, sees the gap, and catches up by a snapshot', async () => {
  await using served = await serve();
  const slow = await raw(served);
  const hello = { jsonrpc: '2.0', id: 1, method: 'hello', params: { token: served.token, version: '1' } };
  slow.write(frame(JSON.stringify(hello)));
  const witness = await served.client();
  const big = 'x'.repeat(64 * 1024);
  let last = 0;
  for (let index = 0; index < 200; index += 1) {
    const { promise, resolve } = Promise.withResolvers<void>();
    using _patches = witness.subscribe((patch) => {
      last = patch.sequence;
      resolve();
    });
    served.state.apply({ collection: 'peers', id: 'a', value: peer(`a${index}`, big) });
    await promise;
  }
  let received = '';
  const { promise: caughtUp, resolve } = Promise.withResolvers<void>();
  slow.on('data', (data: Buffer) => {
    received += data.toString('latin1');
    if (received.includes('"id":2')) resolve();
  });
  slow.write(frame(JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'snapshot' })));
  await caughtUp;
  const patches = received.match(/"method":"patch"/g) ?? [];
  assert.ok(patches.length < last, `${patches.length} of ${last} patches`);
  slow.destroy();
});

test('one node per home: a live one is respected, a dead one is replaced', async () => {
  await using directory = await temporaryDirectory();
  const first = await takeControl(directory.path, diskFiles);
  await assert.rejects(takeControl(directory.path, diskFiles), failsWith('ERR_NODE_RUNNING'));
  await first[Symbol.asyncDispose]();
  // What a killed node leaves: a socket file that nobody listens at.
  await writeFile(controlPlace(directory.path).socket, '');
  await using _second = await takeControl(directory.path, diskFiles);
});

test('a client that comes while the node still starts is answered when it has', async () => {
  await using directory = await temporaryDirectory();
  await using control = await takeControl(directory.path, diskFiles);
  const connecting = connectNode(directory.path);
  await once(connect(controlPlace(directory.path).socket), 'connect');
  await using state = new AsyncDisposableStack();
  control.serve({
    version: '0.1.0',
    peerId: 'me',
    warn: () => undefined,
    state: state.use(new StateStore(soon, emptyState)),
    run: async () => null,
    closed: new Promise(() => undefined),
    onEvent: () => ({ [Symbol.dispose]: () => undefined }),
  });
  await using client = await connecting;
  assert.equal((await client.snapshot()).state.node.name, 'test');
});

test('a home with a long path has its socket elsewhere', async () => {
  await using directory = await temporaryDirectory();
  const long = join(directory.path, 'x'.repeat(120));
  const place = controlPlace(long);
  assert.ok(place.socket.length < 100);
  assert.equal(controlPlace(long).socket, place.socket);
});

test('a node that is not there, or goes away, is told plainly', async () => {
  await using directory = await temporaryDirectory();
  await assert.rejects(connectNode(directory.path), failsWith('ERR_NODE_NOT_RUNNING'));
  const served = await serve(() => new Promise(() => undefined));
  const client = await served.client();
  const pending = client.command('nat.measure', {});
  const failed = assert.rejects(pending, failsWith('ERR_CONTROL_REFUSED', /ended the connection/));
  await served[Symbol.asyncDispose]();
  await failed;
  await client.closed;
});

test('bytes of a false node are bounded too', async () => {
  await using directory = await temporaryDirectory();
  await using control = await takeControl(directory.path, diskFiles);
  assert.ok(control.token);
  const place = controlPlace(directory.path);
  await control[Symbol.asyncDispose]();
  const server = createServer((socket) => socket.end('Content-Length: 9999999999\r\n\r\n')).listen(
    place.socket,
  );
  await once(server, 'listening');
  await assert.rejects(connectNode(directory.path), failsWith('ERR_CONTROL_REFUSED'));
  server.close();
});
