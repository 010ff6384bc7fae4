import { parseXml, XmlElement } from '@rgrove/parse-xml';

const LENGTH_MAX = 65_536;
/** What UPnP says is 8 levels deep. */
const DEPTH_MAX = 32;

/** The root of a document from a router; undefined for one that is malformed, too long or too deep. Entities of its own are malformed. */
export function parseDocument(text: string): XmlElement | undefined {
  if (text.length > LENGTH_MAX) return undefined;
  try {
    // Blank lines before the declaration, and a NUL behind the end, are what real routers send.
    const { root } = parseXml(text.replace(/^[\s\uFEFF]+|[\s\0]+$/g, ''));
    return root && isShallow(root) ? root : undefined;
  } catch {
    return undefined; // an XmlError, or a RangeError from nesting
  }
}

/** All elements of this local name at or below `element`, in order; routers do not agree on prefixes. */
export function* elementsNamed(element: XmlElement, name: string): Generator<XmlElement> {
  if (localName(element) === name) yield element;
  for (const child of childrenOf(element)) yield* elementsNamed(child, name);
}

/** The trimmed text of the first child of this local name. */
export function textOf(element: XmlElement, name: string): string | undefined {
  return childrenOf(element)
    .find((child) => localName(child) === name)
    ?.text.trim();
}

/** Child elements as a table of local name → text. */
export function textsOf(element: XmlElement): Map<string, string> {
  return new Map(childrenOf(element).map((child) => [localName(child), child.text.trim()]));
}

/** Text as it may stand in an element. */
export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function isShallow(root: XmlElement): boolean {
  let level = [root];
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    level = level.flatMap(childrenOf);
    if (level.length === 0) return true;
  }
  return false;
}

function childrenOf(element: XmlElement): XmlElement[] {
  return element.children.filter((child) => child instanceof XmlElement);
}

function localName({ name }: XmlElement): string {
  return name.slice(name.indexOf(':') + 1);
}
