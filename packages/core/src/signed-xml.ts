import { isFieldName } from './field-name.js';
import { MAX_FIELDS } from './scanned-fields.js';
import { sign, signPairs, type PreparedKey, type SignType } from './signature.js';
import { buildXml } from './xml.js';

/** What XML cannot carry as it is. A surrogate is among it, though a pair of them is a character: they are rare. */
const UNUSUAL = /[^\t\n\x20-\uD7FF\uE000-\uFFFD]/;

/** What the names of a message say of it, whatever its values. */
interface Shape {
  readonly names: readonly string[];
  readonly sorted: readonly string[];
  /** For each field in the alphabet's order, what stands before its value: in the XML, and in the string to sign. */
  readonly tags: readonly string[];
  readonly heads: readonly string[];
}

/** Of the last message: orders of one shop have the same names. */
let shape: Shape = { names: [], sorted: [], tags: [], heads: [] };

/**
 * A signed message of the V2 API: what {@link sign} and {@link buildXml} make of the fields, in one pass over them. `sign`
 * comes last.
 *
 * @param apiKey the key that `key` was prepared from, for what one pass cannot do
 * @throws {WechatH5Error} those of `sign` and `buildXml`
 */
export function signedXml(
  fields: Readonly<Record<string, string>>,
  key: PreparedKey,
  apiKey: () => string,
  signType: SignType,
): string {
  const known = shapeOf(Object.keys(fields));
  if (known === undefined) return inTwoSteps(fields, apiKey(), signType);
  const { sorted, tags, heads } = known;
  let pairs = '';
  let xml = '';
  for (let i = 0; i < sorted.length; i++) {
    const value = fields[sorted[i]!] as unknown;
    if (typeof value !== 'string') return inTwoSteps(fields, apiKey(), signType);
    xml += tags[i]! + value;
    if (value !== '') pairs += `${heads[i]!}${value}&`;
  }
  const digest = pairs.includes(']]>') || UNUSUAL.test(pairs) ? undefined : signPairs(pairs, key, signType);
  if (digest === undefined) return inTwoSteps(fields, apiKey(), signType);
  return `${xml}]]></${sorted.at(-1)}><sign><![CDATA[${digest}]]></sign></xml>`;
}

function inTwoSteps(fields: Readonly<Record<string, string>>, apiKey: string, signType: SignType): string {
  return buildXml({ ...fields, sign: sign(fields, apiKey, signType) });
}

/** `undefined` for names that have to be looked at one by one. */
function shapeOf(names: readonly string[]): Shape | undefined {
  if (
    names.length > 0 &&
    names.length === shape.names.length &&
    names.every((name, index) => name === shape.names[index])
  )
    return shape;
  if (names.length === 0 || names.length >= MAX_FIELDS || names.includes('sign') || !names.every(isFieldName)) {
    return undefined;
  }
  const sorted = [...names].sort();
  shape = {
    names,
    sorted,
    tags: sorted.map((name, i) => `${i === 0 ? '<xml>' : `]]></${sorted[i - 1]}>`}<${name}><![CDATA[`),
    heads: sorted.map((name) => `${name}=`),
  };
  return shape;
}
