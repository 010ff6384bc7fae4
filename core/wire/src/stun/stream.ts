import { StreamReader } from '../stream-reader.ts';
import { isStun, STUN_HEADER_BYTES } from './message.ts';

/** No Binding message that we take over TCP is larger. */
export const MAX_STREAM_STUN_BYTES = 2048;

/** Cuts a TCP stream into STUN messages by the length in their header (RFC 8489 §6.2.2). Each still has to be decoded. */
export function stunStreamReader(maxBytes = MAX_STREAM_STUN_BYTES): StreamReader {
  return new StreamReader({
    headerBytes: STUN_HEADER_BYTES,
    sizeOf: (header) => {
      const bodyBytes = header.readUInt16BE(2);
      const sizeBytes = bodyBytes + STUN_HEADER_BYTES;
      return isStun(header[0]) && bodyBytes % 4 === 0 && sizeBytes <= maxBytes ? sizeBytes : undefined;
    },
  });
}
