/** Pairing by password: OPAQUE (RFC 9807) in four messages, then a confirmation of who spoke with whom. */
export { PairingClient } from './client.ts';
export { PairingServer, registerPassword, type PasswordRecord } from './server.ts';
export { PairingWorker, PAIRING_WORKER_URL } from './worker.ts';
export { generatePassword, normalizePassword } from './password.ts';
