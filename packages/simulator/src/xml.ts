import { XMLParser, XMLValidator } from 'fast-xml-parser';

/** A message that is not a flat `<xml>` document of named texts. */
export class XmlFormatError extends Error {
  override readonly name = 'XmlFormatError';
}

const TEXT = '#text';
const CDATA = '#cdata';
const CDATA_SECTION = /<!\[CDATA\[[^]*?\]\]>/g;
const FIELD_NAME = /^[A-Za-z_][\w.-]{0,63}$/;
const ENTITIES = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

/*
 * Left to its defaults the parser trims values, turns digits into numbers and expands entities inside values it has
 * already joined with CDATA. Here it only finds the structure: texts and CDATA sections come back apart and untouched.
 */
const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  allowBooleanAttributes: true,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false,
  cdataPropName: CDATA,
  textNodeName: TEXT,
  onDangerousProperty: (name: string) => name,
});

/** What the parser returns with `preserveOrder`: one key per node, attributes under `:@`. */
type Node = Readonly<Record<string, unknown>>;

/**
 * Reads a flat `<xml>` document. Every value is the exact string that was sent: CDATA as it is, entities resolved,
 * nothing trimmed, nothing turned into a number.
 *
 * @returns an object without a prototype
 * @throws {XmlFormatError} for anything malformed, nested, repeated, or with attributes, comments or a DOCTYPE.
 */
export function parseXml(text: string): Record<string, string> {
  const document = text.replace(/^\uFEFF?(?:<\?xml[ \t\r\n][^?<>]*\?>)?/, '').replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
  const outsideCdata = document.replace(CDATA_SECTION, '');
  // None of these reaches the parser: what is left of `<!` and `<?` outside CDATA is a comment, DOCTYPE or instruction.
  if (/<[!?]|\]\]>/.test(outsideCdata)) throw new XmlFormatError('only elements, text and CDATA are allowed');
  if (/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u.test(document)) {
    throw new XmlFormatError('a character that XML does not allow');
  }
  const carriageReturn = unusedCharacter(document);
  const validity = XMLValidator.validate(document, { allowBooleanAttributes: true });
  if (validity !== true) throw new XmlFormatError(validity.err.msg);
  return readFields(
    document.replaceAll(/<!\[CDATA\[[^]*?\]\]>|<[^>]*>|\r/g, (match) =>
      // The parser would turn CR LF into LF, and the signature is over what was sent. Inside tags it is only a blank.
      match.startsWith('<') && !match.startsWith('<![') ? match : match.replaceAll('\r', carriageReturn),
    ),
    carriageReturn,
  );
}

function readFields(document: string, carriageReturn: string): Record<string, string> {
  const restore = (text: string): string => text.replaceAll(carriageReturn, '\r');
  const [root, ...others] = parseStructure(document);
  const children = root?.['xml'];
  if (!Array.isArray(children) || others.length > 0 || root?.[':@'] !== undefined) {
    throw new XmlFormatError('the root must be one <xml> element');
  }
  const fields: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const child of children as Node[]) {
    const [name = ''] = Object.keys(child).filter((key) => key !== ':@');
    if (name === TEXT && /^[ \t\r\n]*$/.test(restore(String(child[TEXT])))) continue;
    if (!FIELD_NAME.test(name) || child[':@'] !== undefined)
      throw new XmlFormatError('not a flat list of plain elements');
    if (name in fields) throw new XmlFormatError('a field appears twice');
    fields[name] = restore((child[name] as Node[]).map(valueOf).join(''));
  }
  return fields;
}

function parseStructure(document: string): Node[] {
  try {
    return parser.parse(document) as Node[];
  } catch (cause) {
    throw new XmlFormatError('the document cannot be parsed', { cause });
  }
}

function valueOf(node: Node): string {
  if (TEXT in node) return resolveEntities(String(node[TEXT]));
  if (!(CDATA in node)) throw new XmlFormatError('an element inside a field');
  return (node[CDATA] as Node[]).map((part) => String(part[TEXT])).join('');
}

function resolveEntities(text: string): string {
  return text.replaceAll(/&([^;&]*);?/g, (reference: string, name: string) => {
    const numeric = /^#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}))$/.exec(name);
    const code = numeric ? parseInt(numeric[1] ?? numeric[2] ?? '', numeric[1] ? 16 : 10) : undefined;
    const value = code === undefined ? ENTITIES.get(name) : code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
    if (
      value === undefined ||
      !reference.endsWith(';') ||
      /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u.test(value)
    ) {
      throw new XmlFormatError('an entity that is not one of the five, nor a character');
    }
    return value;
  });
}

/** A private-use character that does not occur in `document`. */
function unusedCharacter(document: string): string {
  for (let code = 0xe000; code <= 0xf8ff; code++) {
    const character = String.fromCharCode(code);
    if (!document.includes(character)) return character;
  }
  throw new XmlFormatError('too many private-use characters');
}

/** Writes a flat `<xml>` document as WeChat does: `total_fee` bare, every other value in CDATA. */
export function buildXml(fields: Readonly<Record<string, string>>): string {
  return build('xml', Object.entries(fields), (name, value) => name === 'total_fee' && /^\d+$/.test(value));
}

/** Writes what `req_info` holds as WeChat does: `<root>`, the names in alphabetical order, every value in CDATA. */
export function buildRootXml(fields: Readonly<Record<string, string>>): string {
  const entries = Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
  return build('root', entries, () => false);
}

function build(
  root: string,
  entries: readonly (readonly [name: string, value: string])[],
  isBare: (name: string, value: string) => boolean,
): string {
  const elements = entries.map(([name, value]) => {
    const text = isBare(name, value) ? value : `<![CDATA[${value.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`;
    return `<${name}>${text}</${name}>`;
  });
  return `<${root}>${elements.join('\n')}</${root}>`;
}
