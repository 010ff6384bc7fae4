/** SSDP, the search for devices on a LAN: UPnP Device Architecture 2.0, §1.3. */

export const SSDP_GROUP = '239.255.255.250';
export const SSDP_PORT = 1900;
/** Seconds within which a device answers a multicast search. */
const ANSWER_WITHIN_S = 1;
const RESPONSE_LIMIT_BYTES = 4096;
const TARGETS = [
  'urn:schemas-upnp-org:device:InternetGatewayDevice:2',
  'urn:schemas-upnp-org:device:InternetGatewayDevice:1',
  // Some routers answer to nothing else.
  'upnp:rootdevice',
];

/** Searches for gateways, to the group or, without MX, to one device (§1.3.2). */
export function encodeSearches(to: 'group' | { readonly address: string }): Uint8Array[] {
  const host = to === 'group' ? SSDP_GROUP : to.address;
  return TARGETS.map((target) =>
    Buffer.from(
      [
        'M-SEARCH * HTTP/1.1',
        `HOST: ${host}:${SSDP_PORT}`,
        'MAN: "ssdp:discover"',
        ...(to === 'group' ? [`MX: ${ANSWER_WITHIN_S}`] : []),
        `ST: ${target}`,
        '',
        '',
      ].join('\r\n'),
    ),
  );
}

/** The LOCATION of an answer; undefined for any other bytes. */
export function decodeLocation(payload: Uint8Array): URL | undefined {
  if (payload.length > RESPONSE_LIMIT_BYTES) return undefined;
  const [status = '', ...lines] = Buffer.from(payload).toString('latin1').split(/\r?\n/);
  if (!/^HTTP\/1\.[01] 200( |$)/.test(status)) return undefined;
  const location = lines.map((line) => /^location:\s*(\S+)\s*$/i.exec(line)?.[1]).find(Boolean);
  return (location && URL.parse(location)) || undefined;
}
