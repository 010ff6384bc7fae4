import { elementsNamed, escapeXml, parseDocument, textOf, textsOf } from './xml.ts';

/** A router's refusal (UPnP Device Architecture 2.0, §3.2.2). */
export class UpnpError extends Error {
  readonly code: number;
  constructor(code: number, description: string) {
    super(`the router refused: ${code} ${description}`.trimEnd());
    this.code = code;
  }
}

/** The body of an action (§3.2.1); arguments in the order that the service says. */
export function encodeAction(
  type: string,
  action: string,
  args: readonly (readonly [name: string, value: string | number])[],
): string {
  const values = args.map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`).join('');
  return (
    '<?xml version="1.0"?>\r\n' +
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
    's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>' +
    `<u:${action} xmlns:u="${type}">${values}</u:${action}></s:Body></s:Envelope>`
  );
}

/** The values of an action's answer. Throws an {@link UpnpError} for a refusal, an Error for what is neither. */
export function decodeAction(text: string, action: string): Map<string, string> {
  const root = parseDocument(text);
  const [answer] = root ? elementsNamed(root, `${action}Response`) : [];
  if (answer) return textsOf(answer);
  const [fault] = root ? elementsNamed(root, 'UPnPError') : [];
  if (!fault) throw new Error('the router’s answer is not understood');
  throw new UpnpError(
    Number(textOf(fault, 'errorCode')) || 0,
    cleanText(textOf(fault, 'errorDescription') ?? ''),
  );
}

function cleanText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '').slice(0, 100);
}
