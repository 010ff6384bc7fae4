import type { MapperGateway, MappingRequest, PortMapper, PortMapping } from '@awl/api';

/** A router in memory, and the mapper that speaks with it. */
export class FakeMapper implements PortMapper {
  readonly id: string;
  readonly calls: string[] = [];
  /** Internal port → external port, as in the router's own table. */
  readonly table = new Map<string, number>();
  externalAddress = '203.0.113.7';
  lifetimeS = 7200;
  present = true;
  /** Answers nothing, and obeys no signal. */
  silent = false;
  failure: string | undefined;

  constructor(id: string) {
    this.id = id;
  }

  async discover(): Promise<MapperGateway | undefined> {
    this.calls.push('discover');
    return await this.#answer(() =>
      this.present ? { address: '192.168.1.1', description: 'fake' } : undefined,
    );
  }

  map(request: MappingRequest): Promise<PortMapping> {
    this.calls.push(`map ${request.protocol} ${request.internalPort}`);
    return this.#grant(request);
  }

  refresh(mapping: PortMapping): Promise<PortMapping> {
    this.calls.push(`refresh ${mapping.protocol} ${mapping.internalPort}`);
    return this.#grant(mapping);
  }

  unmap({ protocol, internalPort }: PortMapping): Promise<void> {
    this.calls.push(`unmap ${protocol} ${internalPort}`);
    return this.#answer(() => void this.table.delete(`${protocol} ${internalPort}`));
  }

  #grant({ protocol, internalPort }: MappingRequest): Promise<PortMapping> {
    return this.#answer(() => {
      const externalPort = internalPort + 1;
      this.table.set(`${protocol} ${internalPort}`, externalPort);
      const { externalAddress, lifetimeS } = this;
      return { protocol, internalPort, externalPort, externalAddress, lifetimeS, handle: 'fake' };
    });
  }

  #answer<T>(answer: () => T): Promise<T> {
    if (this.silent) return new Promise(() => {});
    if (this.failure !== undefined) return Promise.reject(new Error(this.failure));
    return Promise.resolve(answer());
  }
}
