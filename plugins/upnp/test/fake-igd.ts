import type { Host, LanHttpRequest, LanSocket, Logger } from '@awl/api';
import { SeededRandom, VirtualClock } from '@awl/testkit';

export const ROUTER = '192.168.1.1';
export const HOST = '192.168.1.5';
export const HOST_6 = '2001:db8::5';
const IGD = 'urn:schemas-upnp-org:device:InternetGatewayDevice';

export interface Entry {
  client: string;
  internalPort: number;
  leaseS: number;
}
type Answer = Awaited<ReturnType<Host['lanHttp']>>;

/** A router's answer to an action: values, or an error code. */
type Outcome = { readonly [name: string]: string | number } | number;

/** A gateway device in memory; tests spoil one thing of it each. */
export class FakeIgd {
  version = 2;
  service = 'WANIPConnection';
  externalAddress = '203.0.113.7';
  /** `UDP 4000` → entry. */
  readonly table = new Map<string, Entry>();
  readonly pinholes = new Map<number, string>();
  readonly actions: string[] = [];
  readonly urls: string[] = [];
  location = `http://${ROUTER}:5000/rootDesc.xml`;
  /** Where answers to searches come from. */
  from = ROUTER;
  /** Replace an action's outcome. */
  readonly outcomes: { [action: string]: (args: Map<string, string>) => Outcome } = {};
  /** Replaces whole answers. */
  spoil: ((answer: Answer, request: LanHttpRequest) => Answer | Promise<Answer>) | undefined;

  /** The answers to a datagram. */
  search(payload: Uint8Array): string[] {
    const text = Buffer.from(payload).toString();
    const target = /^ST: (\S+)/m.exec(text)?.[1] ?? '';
    const known = target === 'upnp:rootdevice' || Number(target.replace(`${IGD}:`, '')) <= this.version;
    return known ? [`HTTP/1.1 200 OK\r\nST: ${target}\r\nLocation: ${this.location}\r\n\r\n`] : [];
  }

  answer(request: LanHttpRequest): Answer | Promise<Answer> {
    this.urls.push(request.url);
    const body = request.method === 'GET' ? this.description() : this.#soap(request);
    const failed = body.includes('<s:Fault>');
    const answer = { status: failed ? 500 : 200, headers: { 'content-type': 'text/html' }, body };
    return this.spoil ? this.spoil(answer, request) : answer;
  }

  description(): string {
    const service = (type: string, path: string): string =>
      `<service><serviceType>urn:schemas-upnp-org:service:${type}</serviceType><controlURL>${path}</controlURL></service>`;
    const firewall = this.version >= 2 ? service('WANIPv6FirewallControl:1', '/ctl/IP6FCtl') : '';
    return `<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceType>${IGD}:${this.version}</deviceType>
<friendlyName>Fake \u202erouter</friendlyName><deviceList><device><serviceList>
${service('WANCommonInterfaceConfig:1', '/ctl/CmnIfCfg')}${service(`${this.service}:${this.version}`, 'ctl/IPConn')}${firewall}
</serviceList></device></deviceList></device></root>`;
  }

  #soap({ headers = {}, body = '' }: LanHttpRequest): string {
    const action = /#(\w+)"$/.exec(headers['SOAPAction'] ?? '')?.[1] ?? '';
    const args = new Map([...body.matchAll(/<(\w+)>([^<]*)<\//g)].map(([, name, value]) => [name!, value!]));
    this.actions.push(
      [action, args.get('NewExternalPort') ?? args.get('UniqueID') ?? args.get('InternalPort')]
        .join(' ')
        .trim(),
    );
    const outcome = (this.outcomes[action] ?? DEFAULT[action])?.(args, this) ?? 401;
    if (typeof outcome === 'number')
      return envelope(
        `<s:Fault><detail><UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>${outcome}</errorCode><errorDescription>Fault</errorDescription></UPnPError></detail></s:Fault>`,
      );
    const values = Object.entries(outcome).map(([name, value]) => `<${name}>${value}</${name}>`);
    return envelope(`<u:${action}Response xmlns:u="x">${values.join('')}</u:${action}Response>`);
  }
}

function envelope(body: string): string {
  return `<?xml version="1.0"?>\n<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${body}</s:Body></s:Envelope>\n`;
}

const keyOf = (args: Map<string, string>): string =>
  `${args.get('NewProtocol')} ${args.get('NewExternalPort')}`;

function add(args: Map<string, string>, igd: FakeIgd): Outcome {
  const [client, internalPort] = [args.get('NewInternalClient')!, Number(args.get('NewInternalPort'))];
  const before = igd.table.get(keyOf(args));
  if (before && before.client !== client) return 718;
  igd.table.set(keyOf(args), { client, internalPort, leaseS: Number(args.get('NewLeaseDuration')) });
  return {};
}

const DEFAULT: { readonly [action: string]: (args: Map<string, string>, igd: FakeIgd) => Outcome } = {
  GetExternalIPAddress: (_, igd) => ({ NewExternalIPAddress: igd.externalAddress }),
  GetSpecificPortMappingEntry(args, igd) {
    const entry = igd.table.get(keyOf(args));
    if (!entry) return 714;
    return {
      NewInternalPort: entry.internalPort,
      NewInternalClient: entry.client,
      NewEnabled: 1,
      NewPortMappingDescription: '',
      NewLeaseDuration: entry.leaseS,
    };
  },
  AddPortMapping: add,
  AddAnyPortMapping(args, igd) {
    if (igd.version < 2) return 401;
    if (add(args, igd) === 718) {
      args.set('NewExternalPort', '50000');
      add(args, igd);
    }
    return { NewReservedPort: args.get('NewExternalPort')! };
  },
  DeletePortMapping: (args, igd) => (igd.table.delete(keyOf(args)) ? {} : 714),
  GetFirewallStatus: () => ({ FirewallEnabled: 1, InboundPinholeAllowed: 1 }),
  AddPinhole(args, igd) {
    igd.pinholes.set(7, `${args.get('Protocol')} ${args.get('InternalClient')} ${args.get('InternalPort')}`);
    return { UniqueID: 7 };
  },
  DeletePinhole: (args, igd) => (igd.pinholes.delete(Number(args.get('UniqueID'))) ? {} : 704),
};

/** A host on the LAN of `igd`; `limit` is what the real host does with long answers and foreign addresses. */
export function place(igd: FakeIgd) {
  const clock = new VirtualClock();
  const lines: string[] = [];
  const line = (message: string): void => void lines.push(message);
  const log: Logger = { debug: line, info: line, warn: line, error: line };
  const sent: string[] = [];
  const addresses = [ROUTER, 'fe80::1'];
  const host: Host = {
    gateways: () => Promise.resolve(addresses.map((address) => ({ address, interfaceName: 'eth0' }))),
    interfaces: () => [
      { name: 'eth0', address: HOST, family: 4, prefixLength: 24, internal: false, kind: 'link' },
      { name: 'eth0', address: HOST_6, family: 6, prefixLength: 64, internal: false, kind: 'link' },
    ],
    async lanHttp(request) {
      if (!addresses.includes(new URL(request.url).hostname.replace(/[[\]]/g, ''))) throw new Error('denied');
      const ended = new Promise<never>((_, reject) =>
        request.signal.addEventListener('abort', () => reject(request.signal.reason as Error)),
      );
      const answer = await Promise.race([igd.answer(request), ended]);
      if (answer.body.length > (request.maxBytes ?? 65_536)) throw new Error('the router answered with more');
      return answer;
    },
    lanUdp: ({ multicastGroup, localAddress = '' }) => {
      const socket: LanSocket = {
        local: { address: localAddress, port: 40_000 },
        onDatagram: null,
        send(payload, to) {
          sent.push(`${to.address}:${to.port}`);
          if (to.address === multicastGroup)
            for (const text of igd.search(payload))
              clock.schedule(2, () =>
                socket.onDatagram?.(Buffer.from(text), { address: igd.from, port: 1900 }),
              );
        },
        [Symbol.dispose]: () => {},
      };
      return Promise.resolve(socket);
    },
  };
  return { parts: { host, clock, log, random: new SeededRandom(1) }, clock, lines, sent };
}
