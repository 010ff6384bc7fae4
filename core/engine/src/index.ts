/** The punch engine: the life of a connection, from NAT discovery to forwards. */
export * from './socket/network.ts';
export * from './signal/rendezvous.ts';
export { RendezvousClient, type RendezvousClientOptions } from './signal/rendezvous-client.ts';
export * from './client.ts';
export * from './registry.ts';
export * from './engine.ts';
export { createEngine } from './create-engine.ts';
export { nodeNetwork } from './socket/node-network.ts';
export { realClock, realRandom } from './socket/real-clock.ts';
export * from './security/identity.ts';
export * from './signal/messages.ts';
export * from './security/seal.ts';
export * from './security/replay-guard.ts';
export * from './security/attempt-keys.ts';
export * from './security/password-limiter.ts';
export * from './security/pairing/index.ts';
export * from './security/ticket-proof.ts';
export * from './security/authorization.ts';
export type { NamePin, RememberedPeer, TicketRecord } from './security/access-records.ts';
export {
  createSession,
  Session,
  type AttachedPath,
  type SessionOptions,
  type SessionStats,
} from './session/session.ts';
export type { AttachOptions } from './session/carrier-options.ts';
export type { PathDescription } from './session/path.ts';
export type { SessionStream } from './session/stream.ts';
export { SESSION_LIMITS, type SessionLimits } from './session/limits.ts';
export { lanHost } from './socket/lan-host.ts';
