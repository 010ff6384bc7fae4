import type { JsonValue } from '@awl/api';
import { AwlError, formatIp, isErrorCode, parseIp, type ErrorCode } from '@awl/wire';
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import {
  ADVERT_MAX_BYTES,
  type Endpoint,
  Offer,
  Accepted,
  Go,
  Exchange,
  Pair1,
  Paired2,
  Pair3,
  Paired4,
  Refusal,
  type Want,
} from './schemas.ts';

export {
  ADVERT_MAX_BYTES,
  CANDIDATES_MAX,
  PLAN_ENTRIES_MAX,
  SIGNAL_KINDS,
  SIGNAL_VERSION,
  STRATEGIES_MAX,
  type SignalKind,
} from './schemas.ts';

const JSON_DEPTH_MAX = 16;

export type OfferBody = Static<typeof Offer>;
export type AcceptedBody = Static<typeof Accepted>;
/** The other side's refusal; `code` is of the error table (`ERR_AUTH_REFUSED` where this version does not know it). */
export type RefusedBody = Omit<Static<typeof Refusal>, 'code'> & { code: ErrorCode };
export type AnswerBody = AcceptedBody | RefusedBody;
export type GoBody = Static<typeof Go>;
export type ExchangeBody = Static<typeof Exchange>;
export type Pair1Body = Static<typeof Pair1>;
export type Pair2Body = Static<typeof Paired2> | RefusedBody;
export type Pair3Body = Static<typeof Pair3>;
export type Pair4Body = Static<typeof Paired4> | RefusedBody;
export type OfferAuth = OfferBody['auth'];
export type OfferWant = Static<typeof Want>;

type Decoder<Body> = (body: JsonValue) => Body;

/** A decoder of one schema. The decoders throw `ERR_WIRE_SCHEMA`, and name the place. */
function decoder<Schema extends TSchema>(kind: string, schema: Schema): Decoder<Static<Schema>> {
  const validator = Compile(schema);
  return (body) => {
    if (depthOf(body) > JSON_DEPTH_MAX) throw invalid(kind, '', 'is nested too deep');
    if (!validator.Check(body)) {
      const [first] = validator.Errors(body);
      throw invalid(kind, first?.instancePath ?? '', first?.message ?? 'is wrong');
    }
    return body;
  };
}

function invalid(kind: string, path: string, what: string): AwlError {
  return new AwlError(
    'ERR_WIRE_SCHEMA',
    `The peer's ${kind} is not valid: ${path === '' ? 'it' : path.slice(0, 100)} ${what}.`,
  );
}

/** Levels of a JSON value (a scalar has 1), without recursion; counts no further than one above the limit. */
function depthOf(value: JsonValue): number {
  let depth = 0;
  let level: readonly JsonValue[] = [value];
  while (level.length > 0 && depth <= JSON_DEPTH_MAX) {
    depth += 1;
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
  }
  return depth;
}

/** The size of an advert or an exchanged message as JSON, bytes. */
export function jsonSizeBytes(value: JsonValue): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** True for the one spelling of an IP address (RFC 5952 for IPv6), without a zone; an IPv4-mapped one would be a second spelling. */
export function isCanonicalAddress(text: string): boolean {
  const bytes = parseIp(text);
  return bytes !== undefined && formatIp(bytes) === text && !text.startsWith('::ffff:');
}

function checkEndpoint(kind: string, path: string, endpoint: Static<typeof Endpoint> | undefined): void {
  if (endpoint && !isCanonicalAddress(endpoint.address))
    throw invalid(kind, path, 'must be an IP address in canonical text');
}

/** What a schema cannot say of a side: addresses are addresses, adverts are small, no strategy stands there twice. */
function checkSide(kind: string, body: OfferBody | AcceptedBody): void {
  body.candidates.forEach((candidate, index) => {
    checkEndpoint(kind, `/candidates/${index}/endpoint/address`, candidate.endpoint);
    checkEndpoint(kind, `/candidates/${index}/base/address`, candidate.base);
  });
  for (const protocol of ['udp', 'tcp'] as const) {
    checkEndpoint(kind, `/behaviour/${protocol}/external/address`, body.behaviour[protocol].external);
  }
  body.strategies.forEach(({ advert }, index) => {
    if (advert !== undefined && jsonSizeBytes(advert) > ADVERT_MAX_BYTES) {
      throw invalid(kind, `/strategies/${index}/advert`, `is larger than ${ADVERT_MAX_BYTES} bytes`);
    }
  });
  if (new Set(body.strategies.map(({ id }) => id)).size !== body.strategies.length) {
    throw invalid(kind, '/strategies', 'must not name a strategy twice');
  }
}

const checkOffer = decoder('offer', Offer);
const checkAccepted = decoder('answer', Accepted);
const checkGo = decoder('go', Go);
const checkExchange = decoder('exchange', Exchange);
const checkRefusal = decoder('refusal', Refusal);
const checkPaired2 = decoder('pair-2', Paired2);
const checkPaired4 = decoder('pair-4', Paired4);

/** What a peer says to people, without control and invisible characters: it ends up in a terminal. */
function plainText(text: string): string {
  return text.replaceAll(/\p{C}+/gu, ' ');
}

/** A side whose texts are safe to show. */
function plainSide<Side extends OfferBody | AcceptedBody>(side: Side): Side {
  const strategies = side.strategies.map(({ assessment, ...rest }) =>
    assessment ? { ...rest, assessment: { ...assessment, reason: plainText(assessment.reason) } } : rest,
  );
  return { ...side, strategies };
}

function isRefusal(body: JsonValue): boolean {
  return typeof body === 'object' && body !== null && 'outcome' in body && body.outcome === 'refused';
}

function decodeRefusal(body: JsonValue): RefusedBody {
  const refusal = checkRefusal(body);
  const code = isErrorCode(refusal.code) ? refusal.code : 'ERR_AUTH_REFUSED';
  return { ...refusal, code, reason: plainText(refusal.reason) };
}

export const decodeOffer: Decoder<OfferBody> = (body) => {
  const offer = checkOffer(body);
  checkSide('offer', offer);
  return plainSide(offer);
};

export const decodeAnswer: Decoder<AnswerBody> = (body) => {
  if (isRefusal(body)) return decodeRefusal(body);
  const answer = checkAccepted(body);
  checkSide('answer', answer);
  return plainSide(answer);
};

export const decodeGo: Decoder<GoBody> = (body) => {
  const go = checkGo(body);
  for (const [index, entry] of go.plan.entries()) {
    if (entry.deadlineMs < entry.startMs)
      throw invalid('go', `/plan/${index}/deadlineMs`, 'must not be before startMs');
  }
  return go;
};

export const decodeExchange: Decoder<ExchangeBody> = (body) => {
  const exchange = checkExchange(body);
  if (jsonSizeBytes(exchange.message) > ADVERT_MAX_BYTES) {
    throw invalid('exchange', '/message', `is larger than ${ADVERT_MAX_BYTES} bytes`);
  }
  return exchange;
};

export const decodePair1: Decoder<Pair1Body> = decoder('pair-1', Pair1);
export const decodePair2: Decoder<Pair2Body> = (body) =>
  isRefusal(body) ? decodeRefusal(body) : checkPaired2(body);
export const decodePair3: Decoder<Pair3Body> = decoder('pair-3', Pair3);
export const decodePair4: Decoder<Pair4Body> = (body) =>
  isRefusal(body) ? decodeRefusal(body) : checkPaired4(body);
