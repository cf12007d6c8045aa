import { isFieldName } from './field-name.js';
import { MAX_FIELDS } from './scanned-fields.js';
import { sign, signPairs, type PreparedKey, type SignType } from './signature.js';
import { buildXml } from './xml.js';

type Fields = Readonly<Record<string, string>>;

/** What the names of a message say of it, whatever its values. */
interface Shape {
  readonly names: readonly string[];
  /** In the alphabet's order: where each name stands in `names`. */
  readonly places: readonly number[];
  /** For each field in the alphabet's order, what stands before its value: in the XML, and in the string to sign. */
  readonly tags: readonly string[];
  readonly heads: readonly string[];
  /** What stands behind the last value. */
  readonly end: string;
}

/** Of the last message: orders of one shop have the same names. */
let shape: Shape = { names: [], places: [], tags: [], heads: [], end: '' };

/**
 * A signed message of the V2 API: what {@link sign} and {@link buildXml} make of the fields, in one pass over them. `sign`
 * comes last.
 *
 * @param own who asks; apart from `business`, because to copy fields into one record costs as much as the digest
 * @param business must have none of the names of `own`
 * @param apiKey the key that `key` was prepared from, for what one pass cannot do
 * @throws {WechatH5Error} those of `sign` and `buildXml`
 */
export function signedXml(
  own: Fields,
  business: Fields,
  key: PreparedKey,
  apiKey: () => string,
  signType: SignType,
): string {
  return inOnePass(own, business, key, signType) ?? inTwoSteps({ ...own, ...business }, apiKey(), signType);
}

/** `undefined` for what has to be looked at one by one. */
function inOnePass(own: Fields, business: Fields, key: PreparedKey, signType: SignType): string | undefined {
  const known = shapeOf(Object.keys(own), Object.keys(business));
  if (known === undefined) return undefined;
  const { places, tags, heads } = known;
  const ownValues: readonly unknown[] = Object.values(own);
  const businessValues: readonly unknown[] = Object.values(business);
  let pairs = '';
  let xml = '';
  for (let i = 0; i < places.length; i++) {
    const place = places[i]! - ownValues.length;
    const value = place < 0 ? ownValues.at(place) : businessValues[place];
    if (typeof value !== 'string') return undefined;
    xml += tags[i]! + value;
    if (value !== '') pairs += heads[i]! + value;
  }
  if (pairs.includes(']]>')) return undefined;
  const digest = signPairs(pairs, key, signType);
  return digest === undefined ? undefined : `${xml}${known.end}<sign><![CDATA[${digest}]]></sign></xml>`;
}

function inTwoSteps(fields: Fields, apiKey: string, signType: SignType): string {
  return buildXml({ ...fields, sign: sign(fields, apiKey, signType) });
}

function shapeOf(own: readonly string[], business: readonly string[]): Shape | undefined {
  if (isOf(shape, own, business)) return shape;
  const names = [...own, ...business];
  const sorted = [...names].sort();
  const isPlain =
    names.length > 0 &&
    names.length < MAX_FIELDS &&
    !names.includes('sign') &&
    names.every(isFieldName) &&
    new Set(names).size === names.length;
  if (!isPlain) return undefined;
  shape = {
    names,
    places: sorted.map((name) => names.indexOf(name)),
    tags: sorted.map((name, i) => `${i === 0 ? '<xml>' : `]]></${sorted[i - 1]}>`}<${name}><![CDATA[`),
    heads: sorted.map((name) => `&${name}=`),
    end: `]]></${sorted.at(-1)}>`,
  };
  return shape;
}

function isOf({ names }: Shape, own: readonly string[], business: readonly string[]): boolean {
  if (names.length === 0 || own.length + business.length !== names.length) return false;
  for (let i = 0; i < own.length; i++) if (own[i] !== names[i]) return false;
  for (let i = 0; i < business.length; i++) if (business[i] !== names[own.length + i]) return false;
  return true;
}
