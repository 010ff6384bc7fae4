import { UNKNOWN_BEHAVIOUR, type Evidence, type Protocol, type TransportBehaviour } from '@awl/api';

/** Below this a field's best value is no verdict. */
const VERDICT_CONFIDENCE = 0.5;
/** What one observation against the best value costs, beside its weight. */
const DISSENT_FACTOR = 1.5;

/**
 * The behaviour that the evidence speaks for. For each field the value with the greatest weight wins; its confidence grows with agreement
 * and falls with dissent, so that samples which disagree make the verdict less sure and never make it jump to and fro.
 */
export function classify(protocol: Protocol, evidence: readonly Evidence[]): TransportBehaviour {
  const own = evidence.filter((item) => item.protocol === protocol);
  const confidence: Record<string, number> = {};
  const behaviour: Record<string, unknown> = { ...UNKNOWN_BEHAVIOUR };
  for (const field of new Set(own.map((item) => item.field))) {
    const verdict = weigh(own.filter((item) => item.field === field));
    if (verdict.confidence < VERDICT_CONFIDENCE) continue;
    behaviour[field] = verdict.value;
    confidence[field] = Math.round(verdict.confidence * 100) / 100;
  }
  return { ...(behaviour as unknown as TransportBehaviour), confidence };
}

/** The value with the most weight, and how sure it is: what is left of the doubt after each agreeing observation, less the dissent. */
function weigh(items: readonly Evidence[]): { value: Evidence['value']; confidence: number } {
  const candidates = new Map<string, { value: Evidence['value']; weight: number; doubt: number }>();
  for (const { value, weight } of items) {
    const key = JSON.stringify(value);
    const known = candidates.get(key) ?? { value, weight: 0, doubt: 1 };
    known.weight += weight;
    known.doubt *= 1 - Math.min(0.99, Math.max(0, weight));
    candidates.set(key, known);
  }
  const ranked = [...candidates.values()].sort((a, b) => b.weight - a.weight);
  const [best, ...others] = ranked;
  if (!best) return { value: undefined, confidence: 0 };
  const dissent = others.reduce((sum, other) => sum + other.weight, 0);
  const agreement = best.weight / (best.weight + dissent * DISSENT_FACTOR);
  return { value: best.value, confidence: (1 - best.doubt) * agreement };
}
