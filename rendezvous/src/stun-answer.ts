import { encodeStun, type StunAddress, type StunAttributes, type StunMessage } from '@awl/wire';
import type { Site, Topology } from './topology.ts';

/** RFC 5780 §7.2, as named in an error 420. */
const CHANGE_REQUEST = 0x0003;

export interface StunAnswer {
  readonly packet: Buffer;
  /** The socket to answer from. */
  readonly via: Site;
}

/**
 * The answer to a Binding request that `from` sent to `at`, or undefined for what gets none (all but requests).
 *
 * Over UDP it has at most 100 bytes. It always goes to the asker: RESPONSE-PORT (RFC 5780) and RESPONSE-ADDRESS (RFC 3489) would aim it
 * at others and are ignored, as is PADDING.
 */
export function answerStun(
  request: StunMessage,
  from: StunAddress,
  at: Site,
  topology: Topology,
  transport: 'udp' | 'tcp',
): StunAnswer | undefined {
  if (request.class !== 'request') return undefined;
  if (request.unknown.length > 0) return errorAnswer(request, at, request.unknown);
  const alternate = topology.alternateOf(at.address);
  const change = request.attributes.changeRequest;
  const cannotChange =
    (change?.changeAddress && alternate === undefined) ||
    (transport === 'tcp' && (change?.changeAddress || change?.changePort));
  // RFC 5780 §6.1: without an alternate address, and over TCP where an answer belongs to its connection.
  if (cannotChange) return errorAnswer(request, at, [CHANGE_REQUEST]);
  const via: Site = {
    address: change?.changeAddress && alternate !== undefined ? alternate : at.address,
    port: change?.changePort ? otherPort(at) : at.port,
  };
  const origin = topology.published(via);
  const other =
    alternate === undefined ? undefined : topology.published({ address: alternate, port: otherPort(at) });
  const attributes: StunAttributes = isClassic(request)
    ? // RFC 3489 §8.1. CHANGED-ADDRESS is mandatory there: without a second address it names the other port of this one.
      {
        mappedAddress: from,
        sourceAddress: origin,
        changedAddress: other ?? topology.published({ address: at.address, port: otherPort(at) }),
      }
    : {
        xorMappedAddress: from,
        // RFC 5780 §6.1 wants it beside XOR-MAPPED-ADDRESS; with IPv6 over UDP it would make the answer larger than 100 bytes.
        ...(transport === 'tcp' || !from.address.includes(':') ? { mappedAddress: from } : {}),
        responseOrigin: origin,
        // RFC 5780 §7.4: only with a second address.
        ...(other ? { otherAddress: other } : {}),
      };
  return { packet: encode(request, 'response', attributes), via };
}

function errorAnswer(request: StunMessage, at: Site, unknownAttributes: readonly number[]): StunAnswer {
  const attributes = {
    errorCode: { code: 420, reason: 'Unknown Attribute' },
    unknownAttributes: unknownAttributes.slice(0, 8),
  };
  return { packet: encode(request, 'error', attributes), via: at };
}

function encode(request: StunMessage, stunClass: 'response' | 'error', attributes: StunAttributes): Buffer {
  const { transactionId, fingerprint } = request;
  return encodeStun({ class: stunClass, transactionId, attributes }, { fingerprint });
}

function otherPort({ port }: Site): 0 | 1 {
  return port === 0 ? 1 : 0;
}

/** No magic cookie: a client of RFC 3489, which does not know the later attributes. */
function isClassic(request: StunMessage): boolean {
  return request.transactionId.length === 16;
}
