import type { Random } from '@awl/api';

/** 16 bits per group of five letters, as proquints have them (Wilkerson, arXiv:0901.4016): readable over a phone. */
const CONSONANTS = 'bdfghjklmnprstvz';
const VOWELS = 'aiou';
const GROUPS = 4;

/** A password of 64 random bits, such as `lusab-babad-gutih-tugad`. */
export function generatePassword(random: Pick<Random, 'bytes'>): string {
  const bytes = Buffer.from(random.bytes(GROUPS * 2));
  return Array.from({ length: GROUPS }, (_, group) => {
    const bits = bytes.readUInt16BE(group * 2);
    const consonant = (shift: number): string => CONSONANTS.charAt((bits >> shift) & 15);
    const vowel = (shift: number): string => VOWELS.charAt((bits >> shift) & 3);
    return consonant(12) + vowel(10) + consonant(6) + vowel(4) + consonant(0);
  }).join('-');
}

/** One spelling for what people type or keep in files: composed letters, no space around. */
export function normalizePassword(password: string): string {
  return password.normalize('NFC').trim();
}
