import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { AwlError, nameKey } from '@awl/wire';
import type { Registration } from './ports.ts';

/** A name and the keys of the peer that has it. */
export interface NameRow {
  readonly name: string;
  readonly peerId: string;
  readonly spki: string;
  readonly sealKey: string;
  readonly sealSignature: string;
  readonly seenAt: number;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS names (
    nameKey TEXT PRIMARY KEY, name TEXT NOT NULL, peerId TEXT NOT NULL,
    spki TEXT NOT NULL, sealKey TEXT NOT NULL, sealSignature TEXT NOT NULL, seenAt INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS namesByPeer ON names (peerId, seenAt);
  CREATE INDEX IF NOT EXISTS namesBySeen ON names (seenAt);
`;
const COLUMNS = 'name, peerId, spki, sealKey, sealSignature, seenAt';

/** Whose a name is, kept over restarts. Throws `ERR_STORAGE` when the disk fails. */
export class NameStore implements Disposable {
  readonly #database: DatabaseSync;
  readonly #byKey: StatementSync;
  readonly #byPeer: StatementSync;
  readonly #write: StatementSync;
  readonly #touch: StatementSync;
  readonly #lapse: StatementSync;
  readonly #trim: StatementSync;
  readonly #count: StatementSync;

  constructor(dataDir: string | undefined) {
    try {
      if (dataDir !== undefined) mkdirSync(dataDir, { recursive: true, mode: 0o700 });
      this.#database = new DatabaseSync(dataDir === undefined ? ':memory:' : join(dataDir, 'names.sqlite'));
      this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; ${SCHEMA}`);
      const prepare = (sql: string): StatementSync => this.#database.prepare(sql);
      this.#byKey = prepare(`SELECT ${COLUMNS} FROM names WHERE nameKey = ?`);
      this.#byPeer = prepare(`SELECT ${COLUMNS} FROM names WHERE peerId = ? ORDER BY seenAt DESC LIMIT 1`);
      this.#write = prepare(
        `INSERT OR REPLACE INTO names (nameKey, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      );
      this.#touch = prepare('UPDATE names SET seenAt = ? WHERE nameKey = ? AND peerId = ?');
      this.#lapse = prepare('DELETE FROM names WHERE seenAt < ?');
      this.#trim = prepare(
        'DELETE FROM names WHERE nameKey IN (SELECT nameKey FROM names WHERE peerId = ? ORDER BY seenAt DESC LIMIT -1 OFFSET ?)',
      );
      this.#count = prepare('SELECT count(*) AS count FROM names');
    } catch (error) {
      throw storageError(error);
    }
  }

  get count(): number {
    return stored(() => (this.#count.get() as { count: number }).count);
  }

  byName(name: string): NameRow | undefined {
    return stored(() => this.#byKey.get(nameKey(name)) as NameRow | undefined);
  }

  /** The name that the peer used last. */
  byPeer(peerId: string): NameRow | undefined {
    return stored(() => this.#byPeer.get(peerId) as NameRow | undefined);
  }

  /** Gives the name to the peer, whoever had it; of the peer's names the `keep` used last stay. */
  assign(name: string, peer: Registration, nowMs: number, keep: number): void {
    const { peerId, spki, sealKey, sealSignature } = peer;
    stored(() => {
      this.#write.run(nameKey(name), name, peerId, spki, sealKey, sealSignature, Math.trunc(nowMs));
      this.#trim.run(peerId, keep);
    });
  }

  touch(name: string, peerId: string, nowMs: number): void {
    stored(() => this.#touch.run(Math.trunc(nowMs), nameKey(name), peerId));
  }

  /** Frees the names that were last used before this time. */
  lapse(beforeMs: number): void {
    stored(() => this.#lapse.run(Math.trunc(beforeMs)));
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

function stored<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw storageError(error);
  }
}

function storageError(error: unknown): AwlError {
  return new AwlError('ERR_STORAGE', `The names of the rendezvous: ${(error as Error).message}`, {
    cause: error,
  });
}
