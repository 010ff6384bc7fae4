/** What a plugin says is shown in a terminal: escape sequences and other control characters must not get there. */
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g; // oxlint-disable-line no-control-regex

/** The text (of a plugin, so perhaps no text) without control characters, at most `maxLength` characters long. */
export function printable(value: unknown, maxLength: number): string {
  const text = String(value);
  const cut = text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text;
  return cut.replace(CONTROL, '\ufffd');
}

/** {@link printable} on one line. */
export function oneLine(value: unknown, maxLength: number): string {
  return printable(value, maxLength).replaceAll('\n', ' ').replaceAll('\t', ' ');
}
