/** What a peer and a rendezvous say to each other over their control connection. */
export * from './access.ts';
export * from './name.ts';
export * from './parse.ts';
export {
  PRESENCE_BATCH,
  RENDEZVOUS_ALPN,
  RENDEZVOUS_EXPORTER,
  RENDEZVOUS_VERSION,
  SEALED_MAX_LENGTH,
  type ClientMessage,
  type HelloMessage,
  type PeerEntry,
  type ServerMessage,
  type WelcomeMessage,
} from './schema.ts';
export * from './url.ts';
