/** A segment's header, for tests that make datagrams by hand. */
export function header(fields: {
  conv?: number;
  cmd?: number;
  frg?: number;
  wnd?: number;
  ts?: number;
  sn?: number;
  una?: number;
  len?: number;
}): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeInt32LE((fields.conv ?? 0) | 0, 0);
  bytes[4] = fields.cmd ?? 81;
  bytes[5] = fields.frg ?? 0;
  bytes.writeUInt16LE(fields.wnd ?? 128, 6);
  bytes.writeInt32LE((fields.ts ?? 0) | 0, 8);
  bytes.writeInt32LE((fields.sn ?? 0) | 0, 12);
  bytes.writeInt32LE((fields.una ?? 0) | 0, 16);
  bytes.writeInt32LE((fields.len ?? 0) | 0, 20);
  return bytes;
}
