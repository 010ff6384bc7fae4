import { isPeerId } from '../certificate.ts';
import { formatIp, parseIp } from '../ip.ts';

/** The port of a rendezvous unless its URL says another. */
export const RENDEZVOUS_PORT = 7777;
/** Where a rendezvous answers STUN from when asked to change its port. */
export const RENDEZVOUS_ALT_PORT = 7778;

/** Where a rendezvous is, and who it must be. */
export interface RendezvousUrl {
  /** A host name or an IP address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** The id of its key, as of a peer. With it the rendezvous is pinned; without it, the first use is remembered. */
  readonly fingerprint?: string;
}

const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i;
const URL_SHAPE = /^awl:\/\/(?:\[([^\]#/]+)\]|([^:#/[\]]+))(?::(\d{1,5}))?\/?(?:#([^#]*))?$/i;

/** Reads `awl://host[:port][#fingerprint]`; undefined for anything else. */
export function parseRendezvousUrl(text: string): RendezvousUrl | undefined {
  if (text.length > 400) return undefined;
  const match = URL_SHAPE.exec(text.trim());
  if (!match) return undefined;
  const [, bracketed, plain, portText, fingerprintText] = match;
  const host = bracketed !== undefined ? canonicalIpv6(bracketed) : canonicalHost(plain!);
  const port = portText === undefined ? RENDEZVOUS_PORT : Number(portText);
  if (host === undefined || port < 1 || port > 65535) return undefined;
  if (fingerprintText === undefined) return { host, port };
  const fingerprint = fingerprintText.toLowerCase();
  return isPeerId(fingerprint) ? { host, port, fingerprint } : undefined;
}

/** The one spelling of a URL: the usual port is left out. */
export function formatRendezvousUrl({ host, port, fingerprint }: RendezvousUrl): string {
  const bracketed = host.includes(':') ? `[${host}]` : host;
  const portText = port === RENDEZVOUS_PORT ? '' : `:${port}`;
  return `awl://${bracketed}${portText}${fingerprint === undefined ? '' : `#${fingerprint}`}`;
}

function canonicalIpv6(text: string): string | undefined {
  const bytes = parseIp(text);
  return bytes?.length === 16 ? formatIp(bytes) : undefined;
}

function canonicalHost(text: string): string | undefined {
  // What ends in a number is meant as an IPv4 address, so a bad one is not taken for a name.
  if (/(^|\.)\d+$/.test(text)) return parseIp(text) ? text : undefined;
  return HOST_NAME.test(text) ? text.toLowerCase() : undefined;
}
