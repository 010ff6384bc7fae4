export * from './errors.ts';
export * from './base32.ts';
export * from './certificate.ts';
export * from './ip.ts';
export { StreamReader, type Framing } from './stream-reader.ts';
export * from './stun/index.ts';
export * from './frame.ts';
export * from './rendezvous/index.ts';
export * from './ticket.ts';
