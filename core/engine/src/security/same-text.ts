import { timingSafeEqual } from 'node:crypto';

/** Compares two secrets in constant time; their lengths are no secret. */
export function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
