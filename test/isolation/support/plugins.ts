import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  makeHost,
  manifest,
  type Memory,
  realClock,
  type TestHost,
} from '../../../core/plugin-host/test/support/fakes.ts';
import type { ProcessLimits } from '@awl/plugin-host';

/** A directory that is removed with the test. */
export function temporaryDirectory(): string & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'awl-plugin-'));
  return Object.assign(path, { [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) });
}

/** Writes a plugin made of one file of JavaScript. */
export function writePlugin(
  parent: string,
  code: string,
  changes: { readonly [key: string]: unknown } = {},
): string {
  const directory = join(parent, (changes['name'] as string | undefined) ?? 'awl-plugin-test');
  mkdirSync(directory, { recursive: true });
  writeFileSync(
    join(directory, 'package.json'),
    JSON.stringify({ ...manifest({ exports: './index.js' }), ...changes }),
  );
  writeFileSync(join(directory, 'index.js'), code);
  return directory;
}

export const oneStrategy = {
  contributes: { strategies: [{ id: 'one', version: 1, transport: 'udp', title: 'One' }] },
};

/** A host on the machine's clock that waits for a plugin's state. */
export interface IsolatedHost extends TestHost, AsyncDisposable {
  readonly directory: string;
  /** Resolves when the plugin's status is one of these. */
  status(id: string, ...statuses: readonly string[]): Promise<void>;
}

export function isolatedHost(
  options: {
    readonly limits?: Partial<ProcessLimits>;
    readonly memory?: Memory;
    readonly directory?: string;
  } = {},
): IsolatedHost {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'awl-plugins-'));
  const made = makeHost({ clock: realClock, ...options, directory });
  return {
    ...made,
    directory,
    status: (id, ...statuses) =>
      new Promise((resolve) => {
        const check = (): boolean => statuses.includes(made.store.state.plugins[id]?.status ?? 'none');
        if (check()) return resolve();
        const subscription = made.store.subscribe(() => {
          if (!check()) return;
          subscription[Symbol.dispose]();
          resolve();
        });
      }),
    async [Symbol.asyncDispose]() {
      await made.host.close();
      if (options.directory === undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}
