/** Lower-case, colon-separated, two digits an octet; undefined for what is none, and for the empty and the broadcast address. */
export function macAddress(text: string): string | undefined {
  const octets = text.trim().split(/[:-]/);
  if (octets.length !== 6 || !octets.every((octet) => /^[0-9a-f]{1,2}$/i.test(octet))) return undefined;
  const mac = octets.map((octet) => octet.toLowerCase().padStart(2, '0')).join(':');
  return mac === '00:00:00:00:00:00' || mac === 'ff:ff:ff:ff:ff:ff' ? undefined : mac;
}
