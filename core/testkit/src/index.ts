export { fakeClient, type FakeClient, type FakeClientOptions, type GivenCommand } from './fake-client.ts';
export { fakeCrowd, fakeThroughput } from './fake-peers.ts';
export { fakeState } from './fake-state.ts';
export { FAKE_NOW } from './fake-time.ts';
