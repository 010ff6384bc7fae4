/** Addresses as PCP carries them: 128 bits, IPv4 as IPv4-mapped IPv6 (RFC 6887 §5). */

const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** The 16 bytes of an address in canonical text. Throws a RangeError for what is no address. */
export function addressBytes(text: string): Uint8Array {
  const v4 = ipv4Bytes(text);
  if (v4) return Uint8Array.from([...MAPPED_PREFIX, ...v4]);
  const canonical = canonicalIpv6(text);
  if (canonical === undefined) throw new RangeError(`${text} is no IP address`);
  const [head = '', tail] = canonical.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail ? tail.split(':') : [];
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return Uint8Array.from(
    groups.flatMap((group) => {
      const value = parseInt(group, 16);
      return [value >> 8, value & 0xff];
    }),
  );
}

/** The canonical text (RFC 5952) of 16 bytes; an IPv4-mapped address as IPv4. */
export function addressText(bytes: Uint8Array): string {
  if (MAPPED_PREFIX.every((byte, index) => bytes[index] === byte)) return ipv4Text(bytes.subarray(12, 16));
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((bytes[2 * index]! << 8) | bytes[2 * index + 1]!).toString(16),
  );
  return canonicalIpv6(groups.join(':'))!;
}

/** Dotted text of 4 bytes. */
export function ipv4Text(bytes: Uint8Array): string {
  return bytes.subarray(0, 4).join('.');
}

function ipv4Bytes(text: string): number[] | undefined {
  const octets = text.split('.').map((octet) => (/^\d{1,3}$/.test(octet) ? Number(octet) : 256));
  return octets.length === 4 && octets.every((octet) => octet < 256) ? octets : undefined;
}

function canonicalIpv6(text: string): string | undefined {
  return text.includes(':') ? URL.parse(`http://[${text}]`)?.hostname.slice(1, -1) : undefined;
}
