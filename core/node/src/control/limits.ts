/** One message on the control socket. A snapshot with 10 000 peers has about 4 MiB; a client's commands are small. */
export const MAX_CLIENT_MESSAGE_BYTES = 256 * 1024;
export const MAX_SERVER_MESSAGE_BYTES = 64 * 1024 * 1024;
/** `Content-Length: N` and its like. */
export const MAX_HEADER_BYTES = 256;
/** UIs and commands at once. */
export const MAX_CLIENTS = 64;
/** Patches and events that wait for a client; beyond, it misses some and takes a new snapshot later. */
export const MAX_QUEUED_MESSAGES = 64;
/** A client that has not read anything for so long is cut off. */
export const STALLED_CLIENT_MS = 30_000;
/** The token must come by then. */
export const HELLO_TIMEOUT_MS = 5000;
/** Requests that a client may have open. */
export const MAX_OPEN_REQUESTS = 64;
/** Between the refusal of a client and its end. */
export const REFUSAL_MS = 50;
