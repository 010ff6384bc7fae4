import { Type, type Static, type TSchema } from 'typebox';

/** The version that both sides must speak. Additions come as features or optional fields. */
export const RENDEZVOUS_VERSION = 1;
/** ALPN of a control connection (RFC 7301). */
export const RENDEZVOUS_ALPN = 'awl/1';
/** Label of the TLS exporter (RFC 8446 §7.5) that access proofs are bound to. */
export const RENDEZVOUS_EXPORTER = 'EXPORTER-awl-rendezvous-access';

/** A sealed message at most: base64url. */
export const SEALED_MAX_LENGTH = 48 * 1024;
/** Records in one presence message at most, so that it fits a frame. */
export const PRESENCE_BATCH = 64;

const PeerId = Type.String({ pattern: '^[a-z2-7]{51}[aq]$' });
/** What is asked: a name, or a peer id. */
const NameOrId = Type.String({ minLength: 1, maxLength: 63 });
/** ERR_NAME_INVALID comes from `isPeerName`, so that a wrong name has its own code. */
const Name = Type.String({ maxLength: 256 });
const RequestId = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const base64url = (length: number) => Type.String({ pattern: `^[A-Za-z0-9_-]{${length}}$` });
const Features = Type.Array(Type.String({ maxLength: 64 }), { maxItems: 64 });
const Software = Type.String({ maxLength: 128 });
const Milliseconds = Type.Number({ minimum: 0, maximum: 1e15 });
const Endpoint = Type.Object({
  address: Type.String({ minLength: 2, maxLength: 45 }),
  port: Type.Integer({ minimum: 1, maximum: 65535 }),
});

/** The public keys of a peer: Ed25519 SubjectPublicKeyInfo (44 bytes), X25519 key (32), signature over it (64). */
const KEYS = { spki: base64url(59), sealKey: base64url(43), sealSignature: base64url(86) };
const PeerEntry = Type.Object({
  peerId: PeerId,
  name: Type.Optional(Name),
  online: Type.Boolean(),
  seenAt: Type.Optional(Milliseconds),
  ...KEYS,
  observedAddress: Type.Optional(Type.String({ minLength: 2, maxLength: 45 })),
});
/** Without an address: the one that the peer reached the rendezvous at, which a rendezvous behind forwarded ports can't know. */
const StunEndpoint = Type.Object({
  address: Type.Optional(Endpoint.properties.address),
  port: Endpoint.properties.port,
});
const Sealed = Type.String({ minLength: 1, maxLength: SEALED_MAX_LENGTH, pattern: '^[A-Za-z0-9_-]+$' });

/** What a peer sends. */
export const CLIENT_SCHEMAS = {
  /** First of all. Who the peer is, is told by its client certificate alone; `spki` must be of that. */
  hello: Type.Object({
    type: Type.Literal('hello'),
    version: Type.Integer(),
    features: Features,
    software: Type.Optional(Software),
    ...KEYS,
    /** The name to be found by. */
    name: Type.Optional(Name),
    /** HMAC under the access key, see `accessProof`. */
    access: Type.Optional(base64url(43)),
  }),
  lookup: Type.Object({ type: Type.Literal('lookup'), id: RequestId, peer: NameOrId }),
  signal: Type.Object({ type: Type.Literal('signal'), id: RequestId, to: PeerId, sealed: Sealed }),
  /** Asks for the list of peers with a name who are online, and for what changes in it. The list comes before the `done`. */
  watch: Type.Object({ type: Type.Literal('watch'), id: RequestId }),
  ping: Type.Object({ type: Type.Literal('ping'), id: RequestId }),
} as const satisfies Record<string, TSchema>;

/** What a rendezvous sends. */
export const SERVER_SCHEMAS = {
  welcome: Type.Object({
    type: Type.Literal('welcome'),
    version: Type.Integer(),
    features: Features,
    software: Type.Optional(Software),
    /** Where the rendezvous sees this connection come from. */
    observed: Endpoint,
    /** Its STUN endpoints, grouped by address: each [primary port, alternate port]. */
    stun: Type.Object({
      udp: Type.Array(StunEndpoint, { minItems: 1, maxItems: 32 }),
      tcp: Type.Array(StunEndpoint, { minItems: 1, maxItems: 32 }),
    }),
    /** A connection that is silent for so long is closed. */
    lifetimeMs: Type.Integer({ minimum: 1000, maximum: 3_600_000 }),
  }),
  found: Type.Object({ type: Type.Literal('found'), id: RequestId, peer: Type.Optional(PeerEntry) }),
  done: Type.Object({ type: Type.Literal('done'), id: RequestId }),
  pong: Type.Object({ type: Type.Literal('pong'), id: RequestId }),
  signal: Type.Object({ type: Type.Literal('signal'), from: PeerEntry, sealed: Sealed }),
  presence: Type.Object({
    type: Type.Literal('presence'),
    peers: Type.Array(PeerEntry, { maxItems: PRESENCE_BATCH }),
  }),
  /** With `id`: that request failed. Without: the connection is about to be closed. */
  error: Type.Object({
    type: Type.Literal('error'),
    id: Type.Optional(RequestId),
    code: Type.String({ pattern: '^ERR_[A-Z_]{1,60}$' }),
    reason: Type.String({ maxLength: 1024 }),
    /** Not before this time has passed. */
    retryAfterMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 86_400_000 })),
  }),
  /** The rendezvous is about to stop; come back after about this time. */
  stopping: Type.Object({
    type: Type.Literal('stopping'),
    retryAfterMs: Type.Integer({ minimum: 0, maximum: 86_400_000 }),
  }),
} as const satisfies Record<string, TSchema>;

/** A message of a peer to its rendezvous. */
export type ClientMessage = {
  [K in keyof typeof CLIENT_SCHEMAS]: Static<(typeof CLIENT_SCHEMAS)[K]>;
}[keyof typeof CLIENT_SCHEMAS];
/** A message of a rendezvous to a peer. */
export type ServerMessage = {
  [K in keyof typeof SERVER_SCHEMAS]: Static<(typeof SERVER_SCHEMAS)[K]>;
}[keyof typeof SERVER_SCHEMAS];
/** What a rendezvous tells of a peer; its keys prove themselves. */
export type PeerEntry = Static<typeof PeerEntry>;
export type HelloMessage = Static<typeof CLIENT_SCHEMAS.hello>;
export type WelcomeMessage = Static<typeof SERVER_SCHEMAS.welcome>;
