/** Port mapping by PCP (RFC 6887) and NAT-PMP (RFC 6886), which share a port and a purpose. */
import type { PluginContext } from '@awl/api';
import { NatPmpMapper } from './nat-pmp-mapper.ts';
import { PcpMapper } from './pcp-mapper.ts';

export function activate(context: PluginContext): void {
  context.portMappers.register(new PcpMapper(4, context));
  context.portMappers.register(new PcpMapper(6, context));
  context.portMappers.register(new NatPmpMapper(context));
}
