/** What stands where a figure is not known. */
export const NONE = '–';

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `18.0 MB`: decimal units, three digits at most before the unit changes. */
export function formatBytes(sizeBytes: number): string {
  let value = Math.max(0, sizeBytes);
  let unit = 0;
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${BYTE_UNITS[unit]}`;
}

/** `18.0 MB/s`. */
export function formatRate(rateBps: number): string {
  return `${formatBytes(rateBps)}/s`;
}

/** `0.4 ms`, `41 ms`, `1.2 s`, `3 min`, `2 h`, `5 d`. */
export function formatDuration(durationMs: number): string {
  const ms = Math.abs(durationMs);
  const sign = durationMs < 0 ? '-' : '';
  if (ms < 0.05) return '0 ms';
  if (ms < 9.95) return `${sign}${Number(ms.toFixed(1))} ms`;
  if (ms < 999.5) return `${sign}${Math.round(ms)} ms`;
  if (ms < 9950) return `${sign}${(ms / 1000).toFixed(1)} s`;
  if (ms < 99_500) return `${sign}${Math.round(ms / 1000)} s`;
  if (ms < 5_970_000) return `${sign}${Math.round(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${sign}${Math.round(ms / 3_600_000)} h`;
  return `${sign}${Math.round(ms / 86_400_000)} d`;
}

/** The present to ten seconds: for what need not be counted, and so drawn, anew each time. */
export function coarse(now: number): number {
  return Math.floor(now / 10_000) * 10_000;
}

/** `0.4 s`, `12 s`: a wait, coarse as estimates are. */
export function formatSeconds(durationMs: number): string {
  return durationMs < 9950 ? `${(Math.max(0, durationMs) / 1000).toFixed(1)} s` : formatDuration(durationMs);
}

/** `3 h ago`; below a second, and where clocks disagree, `now`. */
export function formatAge(at: number, now: number): string {
  return now - at < 1000 ? 'now' : `${formatDuration(now - at)} ago`;
}

/** `98 %`; never says 100 % or 0 % of what is only nearly so. */
export function formatRatio(ratio: number): string {
  const percent = ratio * 100;
  if (percent > 0 && percent < 1) return `${percent < 0.1 ? '< 0.1' : percent.toFixed(1)} %`;
  if (percent > 99 && percent < 100) return '99 %';
  return `${Math.round(percent)} %`;
}

/** `+3.1 ms`: a signed difference of clocks. */
export function formatOffset(offsetMs: number): string {
  return `${offsetMs >= 0 ? '+' : ''}${offsetMs.toFixed(1)} ms`;
}

/** `12:04:31` in the machine's own time zone. */
export function formatTime(at: number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

/** `k3vd-9qem`: the part of a peer id that a person compares. */
export function shortId(peerId: string): string {
  const head = peerId.replaceAll('-', '').slice(0, 8);
  return head.length > 4 ? `${head.slice(0, 4)}-${head.slice(4)}` : head;
}

/** `udp-predict` of `udp-predict@1`. */
export function strategyName(strategy: string): string {
  return strategy.replace(/@\d+$/, '');
}
