import { isFieldName } from './field-name.js';
import { MAX_FIELDS } from './scanned-fields.js';
import { sign, signPairs, type PreparedKey, type SignType } from './signature.js';
import { buildXml } from './xml.js';

/** What XML cannot carry as it is. A surrogate is among it, though a pair of them is a character: they are rare. */
const UNUSUAL = /[^\t\n\x20-\uD7FF\uE000-\uFFFD]/;

/** The names of the last message, in its order and in the alphabet's: orders of one shop have the same ones. */
let lastNames: readonly string[] = [];
let lastSorted: readonly string[] = [];

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
  const names = sorted(Object.keys(fields));
  let pairs = '';
  let xml = '<xml>';
  for (const name of names ?? []) {
    const value = fields[name] as unknown;
    if (typeof value !== 'string') return inTwoSteps(fields, apiKey(), signType);
    xml += `<${name}><![CDATA[${value}]]></${name}>`;
    if (value !== '') pairs += `${name}=${value}&`;
  }
  const digest =
    names === undefined || pairs.includes(']]>') || UNUSUAL.test(pairs) ? undefined : signPairs(pairs, key, signType);
  if (digest === undefined) return inTwoSteps(fields, apiKey(), signType);
  return `${xml}<sign><![CDATA[${digest}]]></sign></xml>`;
}

function inTwoSteps(fields: Readonly<Record<string, string>>, apiKey: string, signType: SignType): string {
  return buildXml({ ...fields, sign: sign(fields, apiKey, signType) });
}

/** `undefined` for names that have to be looked at one by one. */
function sorted(names: readonly string[]): readonly string[] | undefined {
  if (names.length === lastNames.length && names.every((name, index) => name === lastNames[index])) return lastSorted;
  if (names.length >= MAX_FIELDS || names.includes('sign') || !names.every(isFieldName)) return undefined;
  lastNames = names;
  lastSorted = [...names].sort();
  return lastSorted;
}
