import { Socket } from 'node:net';
import { pathToFileURL } from 'node:url';
import type { Endpoint, EngineState, HostInterface, JsonValue, PluginManifest, PluginModule } from '@awl/api';
import { AwlError } from '@awl/wire';
import { Registrations } from '../../registrations.ts';
import { Rpc } from '../rpc.ts';
import { provideApi } from './api-module.ts';
import { Attempts } from './attempts.ts';
import { pluginCalls } from './calls.ts';
import { clockFrom } from './clock.ts';
import { announce, remoteContext, remoteLog, type RemoteSettings } from './context.ts';
import { RemoteHost } from './lan.ts';
import { Leases } from './leases.ts';
import { lockDown } from './lockdown.ts';

/** The pipe to the node. */
const PIPE = 3;
/** What the node may send is for the node to bound. */
const LIMITS = { messageBytes: 16 * 1024 * 1024, messagesPerSecond: Infinity, bytesPerSecond: Infinity };

interface Activation {
  readonly entryFile: string;
  readonly manifest: PluginManifest;
  readonly settings: { readonly [key: string]: JsonValue };
  readonly state: EngineState;
  readonly interfaces: readonly HostInterface[];
}

interface Datagram {
  readonly lease: string;
  readonly socket: number;
  readonly payload: string;
  readonly from: Endpoint;
}

/** Serves one plugin over the pipe, until the node closes it. */
export function runPlugin(): void {
  const pipe = new Socket({ fd: PIPE, readable: true, writable: true });
  const exit = process.exit.bind(process);
  lockDown();
  provideApi();

  const registrations = new Registrations();
  const settings: RemoteSettings = { values: new Map(), listeners: new Set() };
  const ending = new AbortController();
  const log = remoteLog(() => rpc);
  const leases = new Leases(() => rpc);
  const attempts = new Attempts(() => rpc, leases, log);
  const host = new RemoteHost(() => rpc);
  const calls = pluginCalls(registrations, attempts, leases);
  let state: EngineState | undefined;
  let module: PluginModule | undefined;

  const activate = async (activation: Activation): Promise<null> => {
    for (const [key, value] of Object.entries(activation.settings))
      if (value !== null) settings.values.set(key, value);
    state = activation.state;
    host.known = activation.interfaces;
    module = (await import(pathToFileURL(activation.entryFile).href)) as PluginModule;
    if (typeof module.activate !== 'function')
      throw new TypeError('the module does not export activate(context)');
    await module.activate(
      remoteContext({
        manifest: activation.manifest,
        rpc,
        registrations,
        leases,
        host,
        settings,
        log,
        state: () => state!,
        signal: ending.signal,
      }),
    );
    announce(rpc, registrations);
    return null;
  };

  const deactivate = async (): Promise<null> => {
    ending.abort();
    await module?.deactivate?.();
    return null;
  };

  const rpc = new Rpc(pipe, LIMITS, clockFrom(0), {
    async request(method, params, signal) {
      if (method === 'ping') return null;
      if (method === 'activate') return activate(params as Activation);
      if (method === 'deactivate') return deactivate();
      const call = calls[method];
      if (!call) throw new AwlError('ERR_WIRE_SCHEMA', `there is no request ${method}`);
      return call(params as Parameters<typeof call>[0], signal);
    },
    notification(method, params) {
      if (method === 'scope.abort') attempts.abort((params as { readonly scope: number }).scope);
      else if (method === 'state') ({ state } = params as { readonly state: EngineState });
      else if (method === 'setting')
        setSetting(params as { readonly key: string; readonly value: JsonValue });
      else {
        const { lease, socket, payload, from } = params as Datagram;
        if (method === 'lease.datagram') leases.deliver(lease, payload, from);
        else if (method === 'lan.datagram') host.deliver(socket, payload, from);
      }
    },
    violation: () => exit(1),
    closed: () => exit(0),
  });

  const setSetting = ({ key, value }: { readonly key: string; readonly value: JsonValue }): void => {
    settings.values.set(key, value);
    for (const listener of settings.listeners) listener(key, value);
  };
}
