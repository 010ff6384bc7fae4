/** The instant at which the made-up state stands: 2026-05-12 12:04:40 UTC, milliseconds since the Unix epoch. */
export const FAKE_NOW = Date.UTC(2026, 4, 12, 12, 4, 40);

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
