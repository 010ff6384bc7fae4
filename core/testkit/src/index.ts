/** A simulated network of NATs on a virtual clock, and what tests of strategies need around it. */
export * from './clock.ts';
export * from './random.ts';
export * from './network/network.ts';
export * from './network/host.ts';
export * from './network/router.ts';
export * from './network/segment.ts';
export * from './network/link.ts';
export * from './network/nat-behaviour.ts';
export * from './network/kinds.ts';
export * from './network/packet.ts';
export * from './rendezvous.ts';
export * from './stun-server.ts';
export { fakeClient, type FakeClient, type FakeClientOptions, type GivenCommand } from './fake-client.ts';
export { fakeCrowd, fakeThroughput } from './fake-peers.ts';
export { fakeState } from './fake-state.ts';
export { FAKE_NOW } from './fake-time.ts';
