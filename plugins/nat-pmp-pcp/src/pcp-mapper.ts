import type { Family, MapperGateway, MappingRequest, PortMapper, PortMapping, Random } from '@awl/api';
import { Epoch } from './epoch.ts';
import { exchange, TRIES } from './exchange.ts';
import { decodeHandle, encodeHandle } from './handle.ts';
import type { MapperParts } from './nat-pmp-mapper.ts';
import {
  decodeAnnounceResponse,
  decodePcpMapResponse,
  encodeAnnounceRequest,
  encodePcpMapRequest,
  NONCE_BYTES,
  PCP_SUCCESS,
  pcpResult,
  type PcpMapRequest,
  type PcpMapResponse,
} from './pcp-codec.ts';
import { routersOf, type Router } from './router.ts';

/** The shortest life that servers grant is two minutes (RFC 6887 §15). */
const SOON_S = 120;

/**
 * Port mapping by PCP (RFC 6887): of IPv4, or of IPv6, where a mapping is an opening in the router's firewall. MAP alone is used: PEER (§12)
 * makes a mapping toward one remote port only, which a packet to it does as well. Failures are Errors whose message is for a person.
 */
export class PcpMapper implements PortMapper {
  readonly id: 'pcp' | 'pcp-ipv6';
  readonly #parts: MapperParts & { readonly random: Random };
  readonly #family: Family;
  readonly #epochs = new Map<string, Epoch>();
  #router: Router | undefined;

  constructor(family: Family, parts: MapperParts & { readonly random: Random }) {
    this.id = family === 6 ? 'pcp-ipv6' : 'pcp';
    this.#family = family;
    this.#parts = parts;
  }

  async discover(signal: AbortSignal): Promise<MapperGateway | undefined> {
    const routers = await routersOf(this.#parts.host, this.#family);
    const answers = await Promise.all(routers.map((router) => this.#announce(router, signal)));
    this.#router = routers.find((_, index) => answers[index]);
    return this.#router && { address: this.#router.address, description: 'PCP' };
  }

  async map(request: MappingRequest, signal: AbortSignal): Promise<PortMapping> {
    if (!this.#router) await this.discover(signal);
    if (!this.#router) throw new Error('no router on this network speaks PCP');
    const nonce = this.#parts.random.bytes(NONCE_BYTES);
    return await this.#mapAt(this.#router, nonce, request, signal);
  }

  async refresh(mapping: PortMapping, signal: AbortSignal): Promise<PortMapping> {
    const { nonce, ...router } = decodeHandle(mapping);
    return await this.#mapAt(router, nonceOf(nonce), mapping, signal);
  }

  /** Some servers forget whose mapping it was when they renew it, and refuse to delete it; then it is left to end soon. */
  async unmap(mapping: PortMapping, signal: AbortSignal): Promise<void> {
    const { nonce, ...router } = decodeHandle(mapping);
    const request = (lifetimeS: number): Promise<PcpMapResponse> =>
      this.#request(router, this.#mapRequest(router, nonceOf(nonce), { ...mapping, lifetimeS }), signal);
    try {
      await request(0);
    } catch (error) {
      const { lifetimeS } = await request(1);
      if (lifetimeS > SOON_S) throw error;
    }
  }

  async #mapAt(
    router: Router,
    nonce: Uint8Array,
    request: MappingRequest,
    signal: AbortSignal,
  ): Promise<PortMapping> {
    const answer = await this.#request(router, this.#mapRequest(router, nonce, request), signal);
    if (answer.externalPort === 0) throw new Error('the router granted no port');
    return {
      protocol: request.protocol,
      internalPort: request.internalPort,
      externalPort: answer.externalPort,
      externalAddress: answer.externalAddress,
      lifetimeS: answer.lifetimeS,
      handle: encodeHandle({
        address: router.address,
        localAddress: router.localAddress,
        nonce: Buffer.from(nonce).toString('hex'),
      }),
    };
  }

  #mapRequest(router: Router, nonce: Uint8Array, request: MappingRequest): PcpMapRequest {
    const { protocol, internalPort, externalPort = internalPort, lifetimeS } = request;
    return {
      protocol,
      internalPort,
      externalPort,
      lifetimeS,
      nonce,
      clientAddress: router.localAddress,
      externalAddress: this.#family === 6 ? '::' : '0.0.0.0',
    };
  }

  async #request(router: Router, request: PcpMapRequest, signal: AbortSignal): Promise<PcpMapResponse> {
    const answer = await exchange(
      this.#parts,
      router,
      encodePcpMapRequest(request),
      (payload) => decodePcpMapResponse(payload, request),
      { tries: TRIES.known, signal },
    );
    if (!answer) throw new Error('the router does not answer PCP');
    this.#noteEpoch(router, answer.epochS);
    if (answer.result !== PCP_SUCCESS) throw new Error(`the router refused: ${pcpResult(answer.result)}`);
    return answer;
  }

  async #announce(router: Router, signal: AbortSignal): Promise<boolean> {
    const request = encodeAnnounceRequest(router.localAddress);
    const limits = { tries: TRIES.discover, signal };
    const answer = await exchange(this.#parts, router, request, decodeAnnounceResponse, limits);
    if (answer?.result !== PCP_SUCCESS) return false;
    this.#noteEpoch(router, answer.epochS);
    return true;
  }

  #noteEpoch({ address }: Router, epochS: number): void {
    const epoch = this.#epochs.get(address) ?? new Epoch('pcp');
    this.#epochs.set(address, epoch);
    if (epoch.lost(epochS, this.#parts.clock.now()))
      this.#parts.log.warn(`the router ${address} has restarted: its mappings are made again`);
  }
}

function nonceOf(hex: string | undefined): Uint8Array {
  const nonce = Buffer.from(hex ?? '', 'hex');
  if (nonce.length !== NONCE_BYTES) throw new Error('the record of this mapping is damaged');
  return nonce;
}
