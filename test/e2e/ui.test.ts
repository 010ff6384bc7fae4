import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { spawn, type IPty } from '@lydell/node-pty';
import { answer, awl, Awl, homes } from './support/awl.ts';
import { REPOSITORY } from './support/build.ts';

/** `awl` on a terminal of its own. */
class Screen implements Disposable {
  readonly #pty: IPty;
  readonly exit: Promise<number>;
  #text = '';
  readonly #waiting = new Set<() => void>();

  constructor(args: readonly string[], home: string) {
    this.#pty = spawn(process.execPath, [join(REPOSITORY, 'tui/bin/awl.js'), ...args], {
      cols: 100,
      rows: 30,
      env: { ...process.env, AWL_HOME: home, TERM: 'xterm-256color', NODE_ENV: 'production' },
    });
    this.#pty.onData((data) => {
      this.#text += data;
      for (const look of this.#waiting) look();
    });
    this.exit = new Promise((resolve) => this.#pty.onExit(({ exitCode }) => resolve(exitCode)));
  }

  press(keys: string): void {
    this.#pty.write(keys);
  }

  async shows(pattern: RegExp): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = (): void => {
      if (pattern.test(this.#text)) resolve();
    };
    this.#waiting.add(look);
    void this.exit.then(() => reject(new Error(`it ended before ${pattern}: ${this.#text}`)));
    look();
    await promise;
    this.#waiting.delete(look);
  }

  [Symbol.dispose](): void {
    this.#pty.kill('SIGKILL');
  }
}

test('the UI starts a node and ends it, or leaves it with --detach', async () => {
  await using places = await homes();
  const home = places.path('a');
  // The configuration is there: no questions of a first start.
  await awl(['config', 'set', 'name', 'ui-test'], { home });
  {
    using screen = new Screen([], home);
    await screen.shows(/ui-test/);
    assert.equal((await awl(['status'], { home })).code, 0);
    screen.press('q');
    assert.equal(await screen.exit, 0);
  }
  assert.match((await awl(['status'], { home })).stderr, /ERR_NODE_NOT_RUNNING/);

  using detached = new Screen(['--detach'], home);
  await detached.shows(/ui-test/);
  detached.press('q');
  assert.equal(await detached.exit, 0);
  const { node } = await answer<{ node: { name: string } }>(['status'], { home });
  assert.equal(node.name, 'ui-test');
  await answer(['stop'], { home });
  assert.match((await awl(['status'], { home })).stderr, /ERR_NODE_NOT_RUNNING/);
});

test('a UI that is killed takes the node along that it started, and no other', async () => {
  await using places = await homes();
  const home = places.path('a');
  await awl(['config', 'set', 'name', 'ui-test'], { home });
  {
    using screen = new Screen([], home);
    await screen.shows(/ui-test/);
  }
  while ((await awl(['status'], { home })).code === 0);

  await using node = new Awl(['up', '--json'], { home });
  await node.event('node.ready');
  const screen = new Screen([], home);
  await screen.shows(/ui-test/);
  screen[Symbol.dispose]();
  await screen.exit;
  assert.equal((await awl(['status'], { home })).code, 0);
});

test('the UI shows a race over simulated NATs, labelled so, and q ends it all', async () => {
  await using places = await homes();
  using screen = new Screen(['demo', '--nat', 'P:X'], places.path('a'));
  await screen.shows(/simulated NATs/);
  await screen.shows(/connected, direct by (udp|tcp)-birthday/);
  screen.press('q');
  assert.equal(await screen.exit, 0);
});
