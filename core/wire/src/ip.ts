/**
 * IP addresses between text and bytes. The text is the canonical one of RFC 5952, which is also what Node's sockets report.
 */

/** The 4 or 16 bytes of an address; a zone (`%eth0`) is dropped. Undefined for anything that is not an IP address. */
export function parseIp(text: string): Buffer | undefined {
  const zone = text.indexOf('%');
  const plain = zone < 0 ? text : text.slice(0, zone);
  if (plain.length > 45) return undefined;
  return plain.includes(':') ? parseIpv6(plain) : parseIpv4(plain);
}

/** The canonical text of 4 or 16 bytes at `offset`. */
export function formatIp(bytes: Uint8Array, offset = 0, length = bytes.length - offset): string {
  return length === 4 ? formatIpv4(bytes, offset) : formatIpv6(bytes, offset);
}

function parseIpv4(text: string): Buffer | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes = Buffer.allocUnsafe(4);
  for (const [index, part] of parts.entries()) {
    // No leading zeros: some readers take them for octal.
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bytes[index] = Number(part);
  }
  return bytes;
}

function parseIpv6(text: string): Buffer | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1]!, true) : [];
  if (!head || !tail) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const bytes = Buffer.alloc(16);
  for (const [index, group] of head.entries()) bytes.writeUInt16BE(group, index * 2);
  for (const [index, group] of tail.entries()) bytes.writeUInt16BE(group, (8 - tail.length + index) * 2);
  return bytes;
}

function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (last && index === parts.length - 1 && part.includes('.')) {
      const bytes = parseIpv4(part);
      if (!bytes) return undefined;
      groups.push(bytes.readUInt16BE(0), bytes.readUInt16BE(2));
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(parseInt(part, 16));
    }
  }
  return groups;
}

function formatIpv4(bytes: Uint8Array, offset: number): string {
  return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}`;
}

function formatIpv6(bytes: Uint8Array, offset: number): string {
  const groups: number[] = [];
  for (let index = 0; index < 8; index++)
    groups.push((bytes[offset + index * 2]! << 8) | bytes[offset + index * 2 + 1]!);
  // IPv4-mapped addresses keep their dots (RFC 5952 §5).
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return `::ffff:${formatIpv4(bytes, offset + 12)}`;
  // The longest run of zeros becomes `::`, the first of equals, never a single one (RFC 5952 §4.2).
  let start = -1;
  let length = 1;
  for (let index = 0; index < 8; index++) {
    let end = index;
    while (end < 8 && groups[end] === 0) end++;
    if (end - index > length) [start, length] = [index, end - index];
    if (end > index) index = end;
  }
  const hex = groups.map((group) => group.toString(16));
  if (start < 0) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}
