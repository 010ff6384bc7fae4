/** The rendezvous server: presence, signalling, STUN on UDP and TCP. */
export { startRendezvous, type RendezvousServer } from './server.ts';
export {
  DEFAULT_LIMITS,
  type Advertise,
  type LogEntry,
  type RendezvousLimits,
  type RendezvousOptions,
  type ServerClock,
} from './options.ts';
export type { Bus, Delivery, Inbox, Presence, Refusal, Registration } from './ports.ts';
