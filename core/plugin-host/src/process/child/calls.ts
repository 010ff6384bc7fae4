import type {
  BehaviourVector,
  Evidence,
  HookName,
  JsonValue,
  Pair,
  PortMapping,
  MappingRequest,
} from '@awl/api';
import { AwlError } from '@awl/wire';
import { callTaps } from '../../hook-taps.ts';
import type { Registrations } from '../../registrations.ts';
import type { Attempts, RemoteAttempt } from './attempts.ts';
import { clockFrom, random } from './clock.ts';
import type { Leases } from './leases.ts';

const EVIDENCE_PER_PROBE = 256;

interface Params {
  readonly strategy: string;
  readonly mapper: string;
  readonly probe: string;
  readonly command: string;
  readonly hook: HookName;
  readonly pair: Pair;
  readonly scope: number;
  readonly local: BehaviourVector;
  readonly remote?: BehaviourVector;
  readonly request: MappingRequest;
  readonly mapping: PortMapping;
  readonly argument?: JsonValue;
  readonly value: unknown;
}

function registered<T>(map: ReadonlyMap<string, T>, id: string): T {
  const found = map.get(id);
  if (found === undefined) throw new AwlError('ERR_PLUGIN_NOT_CONTRIBUTED', `${id} is not registered`);
  return found;
}

/** What the node may call of the registered things, by method. The node is trusted: parameters are taken as they come. */
export function pluginCalls(
  registrations: Registrations,
  attempts: Attempts,
  leases: Leases,
): { readonly [method: string]: (params: Params, signal: AbortSignal) => Promise<unknown> } {
  const { strategies, portMappers, natProbes, commands, taps } = registrations;
  return {
    'strategy.assess': async ({ strategy, pair }) => registered(strategies, strategy).assess(pair),
    'strategy.prepare': ({ strategy, ...params }) =>
      attempts.within(params.scope, async (signal) => {
        const prepared = await registered(strategies, strategy).prepare?.(
          attempts.prepareContext(params, signal),
        );
        return {
          leases: (prepared?.leases ?? []).map(({ id }) => id),
          ...(prepared?.advert === undefined ? {} : { advert: prepared.advert }),
        };
      }),
    'strategy.punch': ({ strategy, ...params }) =>
      attempts.within(params.scope, async (signal) => {
        const attempt = attempts.attempt(params as unknown as RemoteAttempt, signal);
        try {
          return attempts.outcome(await registered(strategies, strategy).punch(attempt));
        } finally {
          leases.forget(attempt.leases);
        }
      }),
    'mapper.discover': async ({ mapper }, signal) => registered(portMappers, mapper).discover(signal),
    'mapper.map': async ({ mapper, request }, signal) => registered(portMappers, mapper).map(request, signal),
    'mapper.refresh': async ({ mapper, mapping }, signal) =>
      registered(portMappers, mapper).refresh(mapping, signal),
    'mapper.unmap': async ({ mapper, mapping }, signal) =>
      registered(portMappers, mapper).unmap(mapping, signal),
    'probe.gather': ({ probe, scope }) =>
      attempts.within(scope, async (signal) => {
        const evidence: Evidence[] = [];
        const context = { sockets: leases.sockets(scope), clock: clockFrom(0), random, signal };
        for await (const one of registered(natProbes, probe).gather(context)) {
          evidence.push(one);
          if (evidence.length === EVIDENCE_PER_PROBE) break;
        }
        return evidence;
      }),
    'command.run': async ({ command, argument }) => registered(commands, command).run(argument),
    'hook.call': async ({ hook, value }) => callTaps(hook, taps.get(hook) ?? [], value),
  };
}
