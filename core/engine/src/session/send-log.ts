import { writeU48 } from './frame.ts';
import { BYTES_HEAD_BYTES, RECORD } from './record.ts';

const PAGE_BYTES = 65_536;
/** A page with less room than this is left. */
const USEFUL_ROOM_BYTES = 4096;
/** Kept for the next burst when all is confirmed. */
const SPARE_PAGES = 16;
/** Bounds what small records cost beyond their bytes. */
const MAX_RECORDS = 32_768;

interface Page {
  readonly bytes: Buffer;
  used: number;
  /** Records in it that are not acknowledged. */
  records: number;
}

interface Entry {
  readonly page: Page;
  /** The record as it goes over a path, ready to be sent again. */
  readonly record: Buffer;
  /** Offset after its last byte. */
  readonly end: number;
}

/**
 * The session's outgoing byte stream, from the first byte that the peer has not confirmed: whatever happens to a path, it can be sent again
 * from any offset in between. It is kept as BYTES records, which carry their offset, in pages that are used over and over.
 */
export class SendLog {
  readonly #limitBytes: number;
  readonly #spare: Page[] = [];
  #page: Page | undefined;
  #entries: Entry[] = [];
  /** Entries before it are acknowledged; those are cut off now and then. */
  #head = 0;
  /** The next entry to send. */
  #cursor = 0;
  #acked = 0;
  #end = 0;
  #pages = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** The peer has everything before this offset. */
  get acked(): number {
    return this.#acked;
  }

  /** The offset after the last byte. */
  get end(): number {
    return this.#end;
  }

  get unackedBytes(): number {
    return this.#end - this.#acked;
  }

  /** Memory held for this, spare pages included. */
  get heldBytes(): number {
    return this.#pages * PAGE_BYTES;
  }

  /** True if nothing may be added until the peer confirms some of it. */
  get full(): boolean {
    return this.unackedBytes >= this.#limitBytes || this.#entries.length - this.#head >= MAX_RECORDS;
  }

  /** Bytes handed out since the last rewind, which the peer has not confirmed: what is outstanding on the path. */
  get outstandingBytes(): number {
    const sentEnd = this.#cursor > this.#head ? this.#entries[this.#cursor - 1]!.end : this.#acked;
    return Math.max(0, sentEnd - this.#acked);
  }

  /** The next record to send, if one waits. Its memory stays as it is until the peer confirmed it. */
  next(): Buffer | undefined {
    return this.#cursor < this.#entries.length ? this.#entries[this.#cursor++]!.record : undefined;
  }

  /** Adds a record: `fill` writes into the buffer between the two positions and returns where it ended. False if it wrote nothing. */
  append(fill: (into: Buffer, from: number, to: number) => number): boolean {
    const page = this.#roomyPage();
    const start = page.used;
    const from = start + BYTES_HEAD_BYTES;
    const end = fill(page.bytes, from, PAGE_BYTES);
    if (end === from) return false;
    const offset = this.#end;
    page.bytes[start] = RECORD.bytes;
    page.bytes.writeUIntBE(end - start - 4, start + 1, 3);
    writeU48(page.bytes, offset, start + 4);
    page.used = end;
    page.records++;
    this.#end = offset + (end - from);
    this.#entries.push({ page, record: page.bytes.subarray(start, end), end: this.#end });
    return true;
  }

  /** The peer has everything before `offset`. False if that cannot be. */
  acknowledge(offset: number): boolean {
    if (offset < this.#acked) return true;
    if (offset > this.#end) return false;
    this.#acked = offset;
    while (this.#head < this.#entries.length && this.#entries[this.#head]!.end <= offset) {
      this.#release(this.#entries[this.#head++]!.page);
    }
    if (this.#head === this.#entries.length && this.#spare.length > SPARE_PAGES) {
      this.#pages -= this.#spare.length - SPARE_PAGES;
      this.#spare.length = SPARE_PAGES;
    }
    this.#cursor = Math.max(this.#cursor, this.#head);
    if (this.#head === this.#entries.length || this.#head >= 512) {
      this.#entries = this.#entries.slice(this.#head);
      this.#cursor -= this.#head;
      this.#head = 0;
    }
    return true;
  }

  /** Goes on at `offset`, on another path. False if that cannot be: already confirmed and gone, or never sent. */
  rewind(offset: number): boolean {
    if (offset < this.#acked || !this.acknowledge(offset)) return false;
    this.#cursor = this.#head;
    return true;
  }

  #roomyPage(): Page {
    const page = this.#page;
    if (page && PAGE_BYTES - page.used >= USEFUL_ROOM_BYTES) return page;
    const spare = this.#spare.pop();
    if (!spare) this.#pages++;
    this.#page = spare ?? { bytes: Buffer.allocUnsafeSlow(PAGE_BYTES), used: 0, records: 0 };
    return this.#page;
  }

  #release(page: Page): void {
    if (--page.records > 0) return;
    page.used = 0;
    if (page === this.#page) return;
    this.#spare.push(page);
  }
}
