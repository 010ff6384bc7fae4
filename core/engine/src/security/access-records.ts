import type { JsonValue } from '@awl/api';
import { AwlError } from '@awl/wire';
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';

/** What a node keeps of who may connect: one JSON value. Times are milliseconds since the Unix epoch. */
export const TICKETS_MAX = 256;
export const TICKET_USES_MAX = 256;
export const PEERS_MAX = 1024;
export const PINS_MAX = 1024;
const SHARES_MAX = 256;

const PeerId = Type.String({ pattern: '^[a-z2-7]{51}[aq]$' });
const ShareId = Type.String({ minLength: 1, maxLength: 64 });
const Time = Type.Number({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Base64Url = (maxLength: number) => Type.String({ pattern: `^[A-Za-z0-9_-]{1,${maxLength}}$` });

const TicketRecord = Type.Object({
  id: Base64Url(11),
  secret: Base64Url(22),
  /** Without one: all shares. */
  share: Type.Optional(ShareId),
  expiresAt: Type.Optional(Time),
  /** How many peers may use it, and those that did: each comes back as often as it likes. */
  uses: Type.Optional(Type.Integer({ minimum: 1, maximum: TICKET_USES_MAX })),
  usedBy: Type.Array(PeerId, { maxItems: TICKET_USES_MAX }),
});
const RememberedPeer = Type.Object({
  peerId: PeerId,
  name: Type.Optional(Type.String({ maxLength: 63 })),
  since: Time,
  until: Type.Optional(Time),
  /** Without it: all shares. */
  shares: Type.Optional(Type.Array(ShareId, { maxItems: SHARES_MAX })),
});
const NamePin = Type.Object({
  /** Fingerprint of the rendezvous that told the name. */
  rendezvous: Type.String({ maxLength: 128 }),
  name: Type.String({ maxLength: 63 }),
  peerId: PeerId,
  since: Time,
});
const StoredPassword = Type.Object({
  setup: Base64Url(1024),
  record: Base64Url(1024),
  /** Tells whether the record is of a given password. */
  check: Base64Url(43),
});
const AccessRecords = Type.Object({
  version: Type.Literal(1),
  tickets: Type.Array(TicketRecord, { maxItems: TICKETS_MAX }),
  peers: Type.Array(RememberedPeer, { maxItems: PEERS_MAX }),
  pins: Type.Array(NamePin, { maxItems: PINS_MAX }),
  password: Type.Optional(StoredPassword),
});

export type TicketRecord = Static<typeof TicketRecord>;
export type RememberedPeer = Static<typeof RememberedPeer>;
export type NamePin = Static<typeof NamePin>;
export type AccessRecords = Static<typeof AccessRecords>;

const validator = Compile(AccessRecords);

/** The records of a stored value; none where nothing is stored. Throws `ERR_STORAGE`, and names the place. */
export function decodeAccessRecords(value: JsonValue | undefined): AccessRecords {
  if (value === undefined) return { version: 1, tickets: [], peers: [], pins: [] };
  if (validator.Check(value)) return structuredClone(value);
  const [first] = validator.Errors(value);
  throw new AwlError(
    'ERR_STORAGE',
    `The stored access records are damaged: ${first?.instancePath ?? ''} ${first?.message ?? ''}.`,
    {
      remedy:
        'Restore the file from a backup, or remove it: then nobody is remembered and no ticket is valid.',
    },
  );
}
