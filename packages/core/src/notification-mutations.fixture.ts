/** xorshift32: the same numbers for the same seed, on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    // The state must not be 0, and neighbouring seeds must not begin alike.
    this.#state = Math.imul(seed + 1, 0x9e37_79b1) | 1;
    for (let i = 0; i < 4; i++) this.below(2);
  }

  /** 0 … limit - 1 */
  below(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % limit;
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }
}

/** @param other another genuine body, to take parts from */
type Mutation = (body: Buffer, other: Buffer, random: Random) => Buffer;

/** A field as it stands in the document. */
interface Field {
  name: string;
  value: string;
}

const ELEMENT = /<([A-Za-z_][\w.-]*)(?:\/>|>(.*?)<\/\1>)/gs;

function fieldsOf(body: Buffer): Field[] {
  const inner = body
    .toString('utf8')
    .replace(/^.*?<xml>/s, '')
    .replace(/<\/xml>.*$/s, '');
  return Array.from(inner.matchAll(ELEMENT), ([, name = '', value = '']) => ({ name, value }));
}

function documentOf(fields: readonly Field[]): Buffer {
  return Buffer.from(`<xml>${fields.map(({ name, value }) => `<${name}>${value}</${name}>`).join('')}</xml>`);
}

/** The value that an element's content stands for, and the other way. */
function textOf(content: string): string {
  return content.replace(/<!\[CDATA\[(.*?)\]\]>|&(lt|gt|amp|quot|apos);/gs, (_, cdata?: string, entity?: string) =>
    entity === undefined ? (cdata ?? '') : ({ lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }[entity] ?? ''),
  );
}

function cdataOf(text: string): string {
  return `<![CDATA[${text.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`;
}

function onFields(mutate: (fields: Field[], random: Random, other: () => Field[]) => void): Mutation {
  return (body, other, random) => {
    const fields = fieldsOf(body);
    if (fields.length > 0) mutate(fields, random, () => fieldsOf(other));
    return documentOf(fields);
  };
}

function onText(mutate: (text: string, random: Random) => string): Mutation {
  return (body, _other, random) => Buffer.from(mutate(body.toString('utf8'), random));
}

function onSign(mutate: (sign: string, random: Random) => string): Mutation {
  return onText((text, random) =>
    text.replace(
      /(<sign>(?:<!\[CDATA\[)?)([0-9A-F]+)/,
      (_, before: string, sign: string) => before + mutate(sign, random),
    ),
  );
}

function onCipher(mutate: (blocks: Buffer[], random: Random, other: () => Field[]) => void): Mutation {
  return onFields((fields, random, other) => {
    const field = fields.find(({ name }) => name === 'req_info');
    if (field === undefined) return;
    const blocks = blocksOf(field.value);
    mutate(blocks, random, other);
    field.value = cdataOf(Buffer.concat(blocks).toString('base64'));
  });
}

function blocksOf(reqInfo: string): Buffer[] {
  const bytes = Buffer.from(textOf(reqInfo), 'base64');
  return Array.from({ length: Math.ceil(bytes.length / 16) }, (_, i) => bytes.subarray(16 * i, 16 * i + 16));
}

/** What has a meaning to XML, to the string to sign, to UTF-8 or to JavaScript. */
const MARKUP = [
  '<',
  '>',
  '&',
  '=',
  ']]>',
  '<![CDATA[',
  '</xml>',
  '<xml>',
  '<!-- -->',
  '<?x?>',
  '<!DOCTYPE xml>',
  ' a="1"',
];
const REFERENCES = ['&amp;', '&lt;', '&#49;', '&#x31;', '&#0;', '&#x110000;', '&x;'];
const ELEMENTS = ['<total_fee>1</total_fee>', '<sign/>', '&total_fee=1', '<__proto__>1</__proto__>', '<coupon_id/>'];
const CHARACTERS = ['\0', ' ', '\n', '\r\n', '\u2028', '\ufeff', '\ud7ff', '0', '９', 'İ'];
const TOKENS = [...MARKUP, ...REFERENCES, ...ELEMENTS, ...CHARACTERS].map((token) => Buffer.from(token));
const BROKEN_UTF8 = [[0xff], [0xc0, 0xaf], [0xe4, 0xbd], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x80]].map(
  (bytes) => Buffer.from(bytes),
);
const IDS = ['appid', 'mch_id', 'sub_appid', 'sub_mch_id'];
const NAMES = [
  'total_fee',
  'fee_type',
  'attach',
  'out_trade_no',
  'req_info',
  'sign',
  'sign_type',
  'result_code',
  'Sign',
];
const VALUES = [
  '',
  '0',
  '1',
  '-1',
  '01',
  '1.0',
  '1e2',
  'SUCCESS',
  'FAIL',
  'MD5',
  'HMAC-SHA256',
  'CNY',
  '10000100',
  ' ',
];

export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'bits flipped': (body, _other, random) => {
    const flipped = Buffer.from(body);
    for (let n = 1 + random.below(3); n > 0; n--) flipped[random.below(body.length)]! ^= 1 << random.below(8);
    return flipped;
  },
  'bytes inserted': (body, _other, random) => {
    const at = random.below(body.length + 1);
    return Buffer.concat([body.subarray(0, at), random.of([...TOKENS, ...BROKEN_UTF8]), body.subarray(at)]);
  },
  'bytes deleted': (body, _other, random) => {
    const at = random.below(body.length);
    return Buffer.concat([body.subarray(0, at), body.subarray(at + 1 + random.below(random.of([1, 8, 64])))]);
  },
  'a piece moved': (body, _other, random) => {
    const [a = 0, b = 0, c = 0] = [0, 0, 0].map(() => random.below(body.length)).sort((x, y) => x - y);
    return Buffer.concat([body.subarray(0, a), body.subarray(b, c), body.subarray(a, b), body.subarray(c)]);
  },
  'a piece repeated': (body, _other, random) => {
    const at = random.below(body.length);
    const end = at + random.below(200);
    return Buffer.concat([body.subarray(0, end), body.subarray(at)]);
  },
  'cut short': (body, _other, random) => {
    const at = random.below(body.length);
    return random.below(2) === 0 ? body.subarray(0, at) : body.subarray(at);
  },
  'two bodies spliced': (body, other, random) =>
    Buffer.concat([body.subarray(0, random.below(body.length)), other.subarray(random.below(other.length))]),
  'two bodies in a row': (body, other) => Buffer.concat([body, other]),
  'a field taken from another body': onFields((fields, random, other) => {
    const taken = random.of(other());
    const own = fields.find(({ name }) => name === taken?.name);
    if (own !== undefined) own.value = taken.value;
    else if (taken !== undefined) fields.push(taken);
  }),
  'a field twice': onFields((fields, random) => {
    fields.splice(random.below(fields.length), 0, { ...random.of(fields), ...(random.below(2) ? { value: '1' } : {}) });
  }),
  'a field removed': onFields((fields, random) => {
    fields.splice(random.below(fields.length), 1 + random.below(2));
  }),
  'sign removed': onFields((fields) => {
    fields.splice(0, fields.length, ...fields.filter(({ name }) => name !== 'sign'));
  }),
  'a field renamed': onFields((fields, random) => {
    const field = random.of(fields);
    field.name = random.of([random.of(NAMES), field.name.toUpperCase(), `${field.name}_0`, field.name.slice(1) || 'x']);
  }),
  'a field added': onFields((fields, random) => {
    const name = random.of([random.of(NAMES), `${random.of(fields).name}_1`]);
    fields.splice(random.below(fields.length + 1), 0, { name, value: random.of(VALUES) });
  }),
  'a value replaced': onFields((fields, random) => {
    random.of(fields).value = random.of([random.of(VALUES), random.of(fields).value]);
  }),
  'two values exchanged': onFields((fields, random) => {
    const [one, two] = [random.of(fields), random.of(fields)];
    [one.value, two.value] = [two.value, one.value];
  }),
  'fields in another order': onFields((fields, random) => {
    for (let n = random.below(4); n >= 0; n--) fields.push(...fields.splice(random.below(fields.length), 1));
  }),
  // The same string to sign, cut elsewhere: a field and the next ones become one value.
  're-cut, joined': onFields((fields, random) => {
    const named = fields.filter(({ name, value }) => name !== 'sign' && value !== '');
    named.sort((a, b) => (a.name < b.name ? -1 : 1));
    const at = random.below(named.length);
    const swallowed = named.slice(at + 1, at + 2 + random.below(3));
    const tail = swallowed.map(({ name, value }) => `&${name}=${textOf(value)}`).join('');
    const swallower = named[at];
    if (swallower !== undefined) swallower.value = cdataOf(textOf(swallower.value) + tail);
    fields.splice(0, fields.length, ...fields.filter((field) => !swallowed.includes(field)));
  }),
  // … and a value becomes several fields.
  're-cut, split': onFields((fields, random) => {
    const field = random.of(fields);
    const [head = '', ...rest] = textOf(field.value).split('&');
    field.value = cdataOf(head);
    for (const piece of rest) {
      const [name = '', value = ''] = piece.split('=');
      fields.push({ name, value: cdataOf(value) });
    }
  }),
  'text for CDATA': onFields((fields) => {
    for (const field of fields)
      field.value = textOf(field.value).replace(
        /[&<>]/g,
        (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[char]!,
      );
  }),
  'CDATA for text': onFields((fields) => {
    for (const field of fields) field.value = cdataOf(textOf(field.value));
  }),
  'characters as references': onText((text, random) => {
    const at = text.indexOf('>', random.below(text.length));
    return text.replaceAll(/<!\[CDATA\[([\w-]+)\]\]>/g, (cdata, value: string, offset: number) =>
      offset < at
        ? cdata
        : value.replace(/./g, (char) => `&#${random.of(['', 'x'])}${char.charCodeAt(0).toString(10)};`),
    );
  }),
  'references decoded': onText((text) => text.replaceAll('&amp;', '&').replaceAll('&lt;', '<')),
  'references encoded again': onText((text) => text.replaceAll('&', '&amp;')),
  'CDATA unwrapped': onText((text) => text.replaceAll(/<!\[CDATA\[|\]\]>/g, '')),
  'CDATA cut in two': onText((text, random) => {
    const at = random.below(text.length);
    return `${text.slice(0, at)}]]><![CDATA[${text.slice(at)}`;
  }),
  'white space between': onText((text, random) => text.replaceAll('><', random.of(['> <', '>\n<', '>\r\n\t<']))),
  'white space in values': onText((text, random) => text.replaceAll('[CDATA[', random.of(['[CDATA[ ', '[CDATA[\n']))),
  'line ends': onText((text) => text.replaceAll('\n', '\r\n')),
  'UTF-16': (body) => Buffer.from(`\ufeff${body.toString('utf8')}`, 'utf16le'),
  'Latin-1': (body) => Buffer.from(body.toString('utf8'), 'latin1'),
  'a declaration': onText(
    (text, random) =>
      random.of([
        '<?xml version="1.0"?>',
        '<?xml version="1.1"?>',
        '<?xml version="1.0" encoding="GBK"?>',
        '<!DOCTYPE xml>',
      ]) + text,
  ),
  'another root': onText((text, random) => {
    const root = random.of(['root', 'XML', 'xml2', 'a']);
    return text.replace('<xml>', `<${root}>`).replace('</xml>', `</${root}>`);
  }),
  'an attribute, a comment, a nested field': onText((text, random) =>
    text.replace(random.of(['<xml>', '<appid>', '<sign>', '<total_fee>']), (tag) =>
      random.of([tag.replace('>', ' a="1">'), `<!-- -->${tag}`, `${tag}<a>1</a>`, `${tag}<!-- -->`, `<?a ?>${tag}`]),
    ),
  ),
  'another sign': onSign((sign, random) =>
    random.of([
      sign.toLowerCase(),
      sign.slice(1),
      sign + sign,
      sign.slice(0, 32),
      sign.padEnd(64, '0'),
      '0'.repeat(sign.length),
      sign.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
      `${sign} `,
      '',
    ]),
  ),
  'another merchant': onFields((fields, random, other) => {
    for (const id of IDS) {
      if (random.below(2) === 0) continue;
      const theirs = other().find(({ name }) => name === id);
      fields.splice(0, fields.length, ...fields.filter(({ name }) => name !== id), ...(theirs ? [theirs] : []));
    }
  }),
  'an unknown id': onFields((fields, random) => {
    const id = random.of(IDS);
    const field = fields.find(({ name }) => name === id);
    if (field === undefined) fields.push({ name: id, value: '10000999' });
    else field.value = '10000999';
  }),
  'a failed call': onFields((fields, random) => {
    const field = fields.find(({ name }) => name === 'return_code');
    if (field !== undefined) field.value = random.of(['FAIL', 'fail', '', 'SUCCESS ', cdataOf('FAIL')]);
  }),
  'a payment as a refund': onFields((fields, _random, other) => {
    const theirs = other().find(({ name }) => name === 'req_info') ?? { name: 'req_info', value: 'AAAA' };
    fields.splice(0, fields.length, ...fields.filter(({ name }) => name !== 'sign'), theirs);
  }),
  'req_info, blocks moved': onCipher((blocks, random) => {
    blocks.splice(
      random.below(blocks.length + 1),
      0,
      ...blocks.splice(random.below(blocks.length), 1 + random.below(2)),
    );
  }),
  'req_info, blocks removed or repeated': onCipher((blocks, random) => {
    const block = random.of(blocks);
    blocks.splice(random.below(blocks.length), random.below(2), ...(random.below(2) && block ? [block] : []));
  }),
  'req_info, blocks from another refund': onCipher((blocks, random, other) => {
    const theirs = other().find(({ name }) => name === 'req_info');
    if (theirs !== undefined) blocks.splice(random.below(blocks.length), 1, random.of(blocksOf(theirs.value)));
  }),
  'req_info, damaged': onFields((fields, random) => {
    const field = fields.find(({ name }) => name === 'req_info');
    if (field === undefined) return;
    const text = textOf(field.value);
    const at = random.below(text.length);
    field.value = random.of([
      text.slice(0, at),
      `${text.slice(0, at)}${random.of(['A', '=', ' ', '-'])}${text.slice(at + 1)}`,
      `${text}AAAA`,
    ]);
  }),
};
