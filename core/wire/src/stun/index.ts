/** STUN: RFC 8489, 5780, and enough of 3489. Pure functions of bytes. */
export {
  isStun,
  type ChangeRequest,
  type StunAddress,
  type StunAttributes,
  type StunClass,
  type StunContent,
  type StunMessage,
} from './message.ts';
export { decodeStun } from './decode.ts';
export { encodeStun, MAX_STUN_BYTES, type StunEncodeOptions } from './encode.ts';
export { verifyIntegrity } from './integrity.ts';
export { MAX_STREAM_STUN_BYTES, stunStreamReader } from './stream.ts';
