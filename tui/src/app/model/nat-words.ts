import { behaviourAlias, type TransportBehaviour } from '@awl/api';
import { formatDuration, formatRatio } from '../text/format.ts';

/** What a NAT does to one protocol, for a person. */
export interface NatWords {
  /** One or two short clauses. */
  readonly text: string;
  /** `98 %`, or nothing where nothing is known. */
  readonly confidence: string;
  readonly alias: string;
}

const MAPPING_WORDS = {
  EIM: 'one port for everyone (EIM)',
  ADM: 'a port for each address (ADM)',
  APDM: 'a port for each destination (APDM)',
  unknown: 'mapping unknown',
} as const;
const FILTERING_WORDS = {
  EIF: 'anyone may come in (EIF)',
  ADF: 'addresses you wrote to may come in (ADF)',
  APDF: 'strangers need your packet first (APDF)',
  unknown: 'filtering unknown',
} as const;
const ALLOCATION_WORDS = {
  preserving: 'local port kept',
  contiguous: 'ports count up',
  block: 'ports out of a block',
  random: 'ports at random',
  unknown: 'port law unknown',
} as const;

/** The behaviour in plain words; what is not known is said to be unknown. */
export function natWords(behaviour: TransportBehaviour): NatWords {
  const alias = behaviourAlias(behaviour);
  const sure = Object.values({
    mapping: behaviour.confidence['mapping'],
    filtering: behaviour.confidence['filtering'],
  }).filter((value) => value !== undefined);
  const confidence = sure.length === 0 ? '' : formatRatio(Math.min(...sure));
  if (behaviour.blocked === true)
    return { text: 'blocked: nothing comes back', confidence: blockedConfidence(behaviour), alias };
  if (behaviour.natted === false) {
    const filter =
      behaviour.filtering === 'unknown' ? 'filtering unknown' : FILTERING_WORDS[behaviour.filtering];
    return { text: `no NAT: your own address is public, ${filter}`, confidence, alias };
  }
  if (behaviour.mapping === 'unknown' && behaviour.filtering === 'unknown')
    return { text: 'unknown', confidence: '', alias };
  const law =
    behaviour.mapping === 'EIM' || behaviour.allocation === 'unknown'
      ? ''
      : `, ${allocationWords(behaviour)}`;
  return {
    text: `${MAPPING_WORDS[behaviour.mapping]}${law}, ${FILTERING_WORDS[behaviour.filtering]}`,
    confidence,
    alias,
  };
}

function blockedConfidence(behaviour: TransportBehaviour): string {
  const blocked = behaviour.confidence['blocked'];
  return blocked === undefined ? '' : formatRatio(blocked);
}

/** `ports count up by 2`. */
export function allocationWords(behaviour: TransportBehaviour): string {
  const words = ALLOCATION_WORDS[behaviour.allocation];
  return behaviour.allocation === 'contiguous' && behaviour.step !== undefined
    ? `${words} by ${behaviour.step}`
    : words;
}

/** One row of the detailed view: a field of RFC 4787 or 5382, its verdict, how sure. */
export interface NatField {
  readonly field: string;
  readonly verdict: string;
  readonly confidence: string;
}

const yesNo = (value: boolean | 'unknown'): string =>
  value === 'unknown' ? 'unknown' : value ? 'yes' : 'no';
const UNSOLICITED_WORDS = {
  drop: 'silence',
  rst: 'a TCP RST',
  icmp: 'an ICMP error',
  unknown: 'unknown',
} as const;

/** Every field of a behaviour, for the NAT lab. */
export function natFields(behaviour: TransportBehaviour): readonly NatField[] {
  const rows: readonly (readonly [string, string, string])[] = [
    ['blocked', 'Blocked', yesNo(behaviour.blocked)],
    ['natted', 'Translated', yesNo(behaviour.natted)],
    ['mapping', 'Mapping', behaviour.mapping === 'unknown' ? 'unknown' : MAPPING_WORDS[behaviour.mapping]],
    [
      'filtering',
      'Filtering',
      behaviour.filtering === 'unknown' ? 'unknown' : FILTERING_WORDS[behaviour.filtering],
    ],
    ['allocation', 'Ports', behaviour.allocation === 'unknown' ? 'unknown' : allocationWords(behaviour)],
    [
      'pooling',
      'Addresses',
      behaviour.pooling === 'unknown'
        ? 'unknown'
        : behaviour.pooling === 'paired'
          ? 'always the same'
          : 'out of a pool',
    ],
    ['hairpin', 'Hairpin', yesNo(behaviour.hairpin)],
    ['unsolicited', 'Strangers meet', UNSOLICITED_WORDS[behaviour.unsolicited]],
    [
      'lifetimeS',
      'Mapping lives',
      behaviour.lifetimeS === undefined ? 'unknown' : `≈ ${formatDuration(behaviour.lifetimeS * 1000)}`,
    ],
  ];
  return rows.map(([key, field, verdict]) => {
    const confidence = behaviour.confidence[key];
    return {
      field,
      verdict,
      confidence: verdict === 'unknown' || confidence === undefined ? '' : formatRatio(confidence),
    };
  });
}

/** `EIM/APDF` of a vector's UDP side, for tables. */
export function shortBehaviour(behaviour: TransportBehaviour): string {
  if (behaviour.blocked === true) return 'blocked';
  if (behaviour.natted === false) return 'no NAT';
  if (behaviour.mapping === 'unknown' && behaviour.filtering === 'unknown') return 'unknown';
  const random = behaviour.mapping !== 'EIM' && behaviour.allocation === 'random' ? ' random' : '';
  return `${behaviour.mapping === 'unknown' ? '?' : behaviour.mapping}/${behaviour.filtering === 'unknown' ? '?' : behaviour.filtering}${random}`;
}
