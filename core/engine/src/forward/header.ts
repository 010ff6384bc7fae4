import type { JsonValue } from '@awl/api';
import { AwlError } from '@awl/wire';
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';

const StreamHeader = Type.Object({
  protocol: Type.Enum(['tcp', 'udp']),
  /** The share's id, as the ticket has it. */
  share: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  /** Or its target, `host:port`. Without both: the only share there is. */
  target: Type.Optional(Type.String({ minLength: 1, maxLength: 270 })),
  /** For UDP: the session's datagram channel that this flow uses. */
  channel: Type.Optional(Type.Integer({ minimum: 1, maximum: 0xffff_ffff })),
});

/** Shows another ticket within a session, bound to the session's id as an offer binds it to its attempt. */
const TicketHeader = Type.Object({
  protocol: Type.Literal('ticket'),
  ticket: Type.String({ pattern: '^[A-Za-z0-9_-]{11}$' }),
  proof: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
});

/** What the opener of a stream asks for. */
export type StreamHeader = Static<typeof StreamHeader>;
export type TicketHeader = Static<typeof TicketHeader>;

const streamValidator = Compile(StreamHeader);
const ticketValidator = Compile(TicketHeader);

/** Checks what a peer says. Throws `ERR_SESSION_PROTOCOL`. */
export function decodeStreamHeader(header: JsonValue): StreamHeader | TicketHeader {
  if (ticketValidator.Check(header)) return header;
  if (!streamValidator.Check(header))
    throw new AwlError('ERR_SESSION_PROTOCOL', 'The peer opened a stream for something unknown.');
  return header;
}

/** A share's target or a listener's address as a person writes it. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `port`, `host:port` or `[v6]:port`. Throws `ERR_USAGE`. */
export function parseTarget(text: string): HostPort {
  return parseHostPort(text, '127.0.0.1');
}

/** `port` or `:port` (this machine only), `address:port`, `*:port` (everyone). Throws `ERR_USAGE`. */
export function parseListen(text: string): HostPort {
  const { host, port } = parseHostPort(text.startsWith(':') ? text.slice(1) : text, '127.0.0.1', 0);
  return { host: host === '*' ? '0.0.0.0' : host, port };
}

function parseHostPort(text: string, defaultHost: string, leastPort = 1): HostPort {
  const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:\s[\]]{1,253})):)?(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[3]);
  if (!match || port < leastPort || port > 65535)
    throw new AwlError('ERR_USAGE', `“${text.slice(0, 100)}” is not a port or host:port.`);
  return { host: match[1] ?? match[2] ?? defaultHost, port };
}

/** The text of a target, the same for every way to write it. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
