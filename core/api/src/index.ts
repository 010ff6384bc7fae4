/** What an awl plugin sees: types and small helpers, no implementation. */
export * from './address.ts';
export * from './behaviour.ts';
export * from './clock.ts';
export * from './json.ts';
export * from './lease.ts';
export * from './mapper.ts';
export * from './probe.ts';
export * from './strategy.ts';
export * from './transport.ts';
export * from './hooks.ts';
export * from './manifest.ts';
export * from './logger.ts';
export * from './view.ts';
export * from './plugin.ts';
export * from './state.ts';
export * from './client.ts';
