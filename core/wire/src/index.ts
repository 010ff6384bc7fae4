export * from './errors.ts';
export * from './base32.ts';
export * from './certificate.ts';
