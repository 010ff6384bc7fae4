import type { Clock, Host, Logger, MapperGateway, MappingRequest, PortMapper, PortMapping } from '@awl/api';
import { Epoch } from './epoch.ts';
import { exchange, TRIES } from './exchange.ts';
import { decodeHandle, encodeHandle } from './handle.ts';
import {
  decodeExternalAddressResponse,
  decodeNatPmpMapResponse,
  encodeExternalAddressRequest,
  encodeNatPmpMapRequest,
  natPmpResult,
  UNSUPPORTED_VERSION,
  type ExternalAddressResponse,
  type NatPmpMapResponse,
} from './nat-pmp-codec.ts';
import { routersOf, type Router } from './router.ts';

/** What both mappers are given. */
export interface MapperParts {
  readonly host: Host;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Port mapping by NAT-PMP (RFC 6886). Failures are Errors whose message is for a person. */
export class NatPmpMapper implements PortMapper {
  readonly id = 'nat-pmp';
  readonly #parts: MapperParts;
  readonly #epochs = new Map<string, Epoch>();
  #router: Router | undefined;

  constructor(parts: MapperParts) {
    this.#parts = parts;
  }

  async discover(signal: AbortSignal): Promise<MapperGateway | undefined> {
    const routers = await routersOf(this.#parts.host, 4);
    const answers = await Promise.all(
      routers.map((router) => this.#external(router, TRIES.discover, signal)),
    );
    // One that has no external address just now is found, so that mapping says so.
    const at = answers.findIndex((answer) => answer && answer.result !== UNSUPPORTED_VERSION);
    this.#router = routers[at];
    return (
      this.#router && {
        address: this.#router.address,
        description: 'NAT-PMP',
        externalAddress: answers[at]!.externalAddress,
      }
    );
  }

  async map(request: MappingRequest, signal: AbortSignal): Promise<PortMapping> {
    if (!this.#router) await this.discover(signal);
    if (!this.#router) throw new Error('no router on this network speaks NAT-PMP');
    return await this.#mapAt(this.#router, request, signal);
  }

  async refresh(mapping: PortMapping, signal: AbortSignal): Promise<PortMapping> {
    return await this.#mapAt(decodeHandle(mapping), mapping, signal);
  }

  async unmap(mapping: PortMapping, signal: AbortSignal): Promise<void> {
    const { protocol, internalPort } = mapping;
    const request = { protocol, internalPort, externalPort: 0, lifetimeS: 0 };
    success(await this.#map(decodeHandle(mapping), request, signal));
  }

  async #mapAt(router: Router, request: MappingRequest, signal: AbortSignal): Promise<PortMapping> {
    const { protocol, internalPort, externalPort = internalPort, lifetimeS } = request;
    const answer = success(
      await this.#map(router, { protocol, internalPort, externalPort, lifetimeS }, signal),
    );
    if (answer.externalPort === 0) throw new Error('the router granted no port');
    const external = success(await this.#external(router, TRIES.known, signal));
    return {
      protocol,
      internalPort,
      externalPort: answer.externalPort,
      externalAddress: external.externalAddress,
      lifetimeS: answer.lifetimeS,
      handle: encodeHandle({ address: router.address, localAddress: router.localAddress }),
    };
  }

  async #map(
    router: Router,
    request: Required<MappingRequest>,
    signal: AbortSignal,
  ): Promise<NatPmpMapResponse | undefined> {
    const answer = await exchange(
      this.#parts,
      router,
      encodeNatPmpMapRequest(request),
      (payload) => {
        const decoded = decodeNatPmpMapResponse(payload, request.protocol);
        return decoded?.internalPort === request.internalPort ? decoded : undefined;
      },
      { tries: TRIES.known, signal },
    );
    return this.#noteEpoch(router, answer);
  }

  async #external(
    router: Router,
    tries: number,
    signal: AbortSignal,
  ): Promise<ExternalAddressResponse | undefined> {
    const request = encodeExternalAddressRequest();
    const limits = { tries, signal };
    return this.#noteEpoch(
      router,
      await exchange(this.#parts, router, request, decodeExternalAddressResponse, limits),
    );
  }

  #noteEpoch<Answer extends { readonly epochS: number }>(
    { address }: Router,
    answer: Answer | undefined,
  ): Answer | undefined {
    if (!answer) return undefined;
    const epoch = this.#epochs.get(address) ?? new Epoch('nat-pmp');
    this.#epochs.set(address, epoch);
    if (epoch.lost(answer.epochS, this.#parts.clock.now()))
      this.#parts.log.warn(`the router ${address} has restarted: its mappings are made again`);
    return answer;
  }
}

function success<Answer extends { readonly result: number }>(answer: Answer | undefined): Answer {
  if (!answer) throw new Error('the router does not answer NAT-PMP');
  if (answer.result !== 0) throw new Error(`the router refused: ${natPmpResult(answer.result)}`);
  return answer;
}
