import type { Host, Protocol } from '@awl/api';
import type { Service, ServiceName } from './description.ts';
import { runAction, type Igd } from './igd.ts';
import { UpnpError } from './soap.ts';

/** Error codes of WANIPConnection:2, §2.5, that lead to another try. */
export const FAULT = {
  noSuchEntry: 714,
  conflict: 718,
  samePortRequired: 724,
  permanentOnly: 725,
  conflictWithOther: 729,
} as const;

/** One entry of the router's table. */
export interface Entry {
  readonly client: string;
  readonly internalPort: number;
  /** Seconds left; 0 for ever. */
  readonly leaseS: number;
}

type Arguments = readonly (readonly [name: string, value: string | number])[];

/** A service that maps ports. The arguments' order is the specification's: some routers read them by place. */
export class WanConnection {
  readonly externalAddress: string;
  readonly version: number;
  readonly #host: Host;
  readonly #service: Service;

  private constructor(host: Host, service: Service, externalAddress: string) {
    this.#host = host;
    this.#service = service;
    this.version = service.name === 'WANIPConnection' ? service.version : 1;
    this.externalAddress = externalAddress;
  }

  /** The device's connection that is up, the newest version first. Throws an Error where none is. */
  static async of(host: Host, { description }: Igd, signal: AbortSignal): Promise<WanConnection> {
    const rank = ({ name, version }: Service): number => (name === 'WANPPPConnection' ? 0 : version);
    const services = description.services
      .filter(({ name }) => CONNECTIONS.has(name))
      .sort((a, b) => rank(b) - rank(a));
    let failure: unknown = new Error('the router has no external address');
    for (const service of services) {
      try {
        const answer = await runAction(host, service, 'GetExternalIPAddress', [], signal);
        const address = answer.get('NewExternalIPAddress') ?? '';
        if (isAddress(address)) return new WanConnection(host, service, address);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /** The entry of an external port; undefined where there is none. */
  async entry(protocol: Protocol, externalPort: number, signal: AbortSignal): Promise<Entry | undefined> {
    try {
      const answer = await this.#run('GetSpecificPortMappingEntry', place(protocol, externalPort), signal);
      return {
        client: answer.get('NewInternalClient') ?? '',
        internalPort: portOf(answer.get('NewInternalPort')) ?? 0,
        leaseS: Number(answer.get('NewLeaseDuration')) || 0,
      };
    } catch (error) {
      if (error instanceof UpnpError && error.code === FAULT.noSuchEntry) return undefined;
      throw error;
    }
  }

  async add(mapping: NewMapping, signal: AbortSignal): Promise<void> {
    await this.#run('AddPortMapping', argumentsOf(mapping), signal);
  }

  /** Version 2: the router chooses another port where the wished one is taken. Undefined where it does not tell which. */
  async addAny(mapping: NewMapping, signal: AbortSignal): Promise<number | undefined> {
    const answer = await this.#run('AddAnyPortMapping', argumentsOf(mapping), signal);
    return portOf(answer.get('NewReservedPort'));
  }

  async delete(protocol: Protocol, externalPort: number, signal: AbortSignal): Promise<void> {
    await this.#run('DeletePortMapping', place(protocol, externalPort), signal);
  }

  #run(action: string, args: Arguments, signal: AbortSignal): Promise<Map<string, string>> {
    return runAction(this.#host, this.#service, action, args, signal);
  }
}

export interface NewMapping {
  readonly protocol: Protocol;
  readonly externalPort: number;
  readonly internalPort: number;
  readonly client: string;
  /** 0: for ever. */
  readonly leaseS: number;
}

const CONNECTIONS: ReadonlySet<ServiceName> = new Set(['WANIPConnection', 'WANPPPConnection']);

function place(protocol: Protocol, externalPort: number): Arguments {
  return [
    ['NewRemoteHost', ''],
    ['NewExternalPort', externalPort],
    ['NewProtocol', protocol.toUpperCase()],
  ];
}

function argumentsOf({ protocol, externalPort, internalPort, client, leaseS }: NewMapping): Arguments {
  return [
    ...place(protocol, externalPort),
    ['NewInternalPort', internalPort],
    ['NewInternalClient', client],
    ['NewEnabled', 1],
    ['NewPortMappingDescription', 'awl'],
    ['NewLeaseDuration', leaseS],
  ];
}

function portOf(text: string | undefined): number | undefined {
  const port = /^\d{1,5}$/.test(text ?? '') ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function isAddress(text: string): boolean {
  const octets = text.split('.');
  const valid =
    octets.length === 4 && octets.every((octet) => /^\d{1,3}$/.test(octet) && Number(octet) < 256);
  return valid && text !== '0.0.0.0';
}
