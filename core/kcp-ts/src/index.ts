/** KCP in pure TypeScript: a state machine without I/O, and a stream over any datagram socket. */
export { Kcp, type InputResult } from './kcp.ts';
export { KcpStream, ERR_KCP_DEAD_LINK, type KcpStreamOptions, type KcpStreamStats } from './stream.ts';
export type { Clock, KcpChannel } from './channel.ts';
export type { ClassicOptions, CongestionChoice, KcpOptions } from './options.ts';
export type { KcpStats } from './stats.ts';
export type { Output } from './datagram-writer.ts';
export type { Sink } from './receiver.ts';
export { conversationOf, HEADER_BYTES, MAX_MTU_BYTES, MAX_WINDOW, MIN_MTU_BYTES } from './segment.ts';
