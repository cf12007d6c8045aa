import { createHash } from 'node:crypto';
import { Session, type Profiler } from 'node:inspector/promises';

/**
 * Counts what `verifyNotification` executes for inputs of growing size: V8 counts each run of each block of code, so
 * the numbers are exact and the same on every machine. Writes them by input.
 */
const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
// Only code that is loaded from here on is counted by the block.
const { createWechatH5 } = await import('./index.js');

const API_KEY = '192006250b4c09247ec02edce69f6a2d';
const MERCHANT = { appId: 'wx2421b1c4370ec43b', mchId: '10000100', apiKey: API_KEY };
const wechatH5 = createWechatH5({ merchant: MERCHANT, notifyUrl: 'https://pay.example.com/notify' });

const IDS = { appid: MERCHANT.appId, mch_id: MERCHANT.mchId, return_code: 'SUCCESS' };

/** Signed as WeChat Pay would, so that the whole of verifyNotification runs. */
function signed(fields: Record<string, string>): string {
  const names = Object.keys(fields).sort();
  const pairs = names.map((name) => `${name}=${fields[name]}&`).join('');
  const sign = createHash('md5').update(`${pairs}key=${API_KEY}`).digest('hex').toUpperCase();
  const elements = names.map((name) => `<${name}><![CDATA[${fields[name]}]]></${name}>`);
  return `<xml>${elements.join('')}<sign>${sign}</sign></xml>`;
}

const filled = (piece: string, size: number): string => piece.repeat(Math.floor(size / piece.length));
const inValue = (piece: string, size: number): string => `<xml><a>${filled(piece, size)}</a></xml>`;

const INPUTS: Record<string, (size: number) => string | Buffer> = {
  'genuine, a long value': (size) => signed({ ...IDS, attach: filled('x', size) }),
  'signed, a value of &': (size) => signed({ ...IDS, attach: filled('&', size) }),
  'signed, a value of &name without =': (size) => signed({ ...IDS, attach: filled('&total_fee', size) }),
  'signed, a value of &unknown=': (size) => signed({ ...IDS, attach: filled('&a=', size) }),
  'signed, a value of &name_1_1_1=': (size) => signed({ ...IDS, attach: filled('&a_1_1_1_1_1_1_1_1=', size) }),
  'signed, not ASCII': (size) => signed({ ...IDS, attach: filled('支付', size / 3) }),
  'signed, fields in descending order': (size) =>
    `<xml>${Array.from({ length: 100 }, (_, i) => `<f${999 - i}>${filled('x', size / 100)}</f${999 - i}>`).join('')}` +
    `<return_code>SUCCESS</return_code><mch_id>10000100</mch_id><sign>${'0'.repeat(32)}</sign></xml>`,
  text: (size) => inValue('x', size),
  'brackets in CDATA': (size) => `<xml><a><![CDATA[${filled(']', size)}]]></a></xml>`,
  'CDATA sections': (size) => inValue('<![CDATA[]]>', size),
  'CDATA without an end': (size) => `<xml><a><![CDATA[${filled('x]]', size)}`,
  entities: (size) => inValue('&amp;', size),
  'character references': (size) => inValue('&#x4e2d;', size),
  'one reference of many digits': (size) => inValue(`&#${filled('0', size)}49;`, size + 10),
  'an ampersand and a long text': (size) => inValue(`&${filled('a', size)}`, size + 10),
  'a long name': (size) => `<xml><${filled('a', size)}>1</a></xml>`,
  'many fields': (size) => `<xml>${filled('<a>1</a>', size)}</xml>`,
  'open tags': (size) => `<xml>${filled('<a>', size)}`,
  'white space': (size) => `<xml>${filled(' \r\n', size)}</xml>`,
  'a long declaration': (size) => `<?xml version="1.0"${filled(' ', size)}`,
  'a document type': (size) => `<!DOCTYPE x [${filled('<!ENTITY a "&a;">', size)}]><xml></xml>`,
  'bytes that are not UTF-8': (size) => Buffer.concat([Buffer.from('<xml><a>'), Buffer.alloc(size, 0xe4)]),
  NUL: (size) => Buffer.alloc(size),
  req_info: (size) =>
    `<xml>${Object.entries({ ...IDS, req_info: filled('A', size) })
      .map(([name, value]) => `<${name}>${value}</${name}>`)
      .join('')}</xml>`,
  'req_info, damaged': (size) =>
    `<xml>${Object.entries({ ...IDS, req_info: `${filled('A', size)}!` })
      .map(([name, value]) => `<${name}>${value}</${name}>`)
      .join('')}</xml>`,
};

/** Blocks run since the last call. */
async function stepsSince(): Promise<number> {
  const { result } = (await session.post('Profiler.takePreciseCoverage')) as Profiler.TakePreciseCoverageReturnType;
  let steps = 0;
  for (const { url, functions } of result) {
    if (!url.includes('/core/src/') || url.includes('.fixture.')) continue;
    for (const { ranges } of functions) for (const { count } of ranges) steps += count;
  }
  return steps;
}

const counts: Record<string, number[]> = {};
for (const [name, inputOf] of Object.entries(INPUTS)) {
  counts[name] = [];
  for (const size of [7_500, 15_000, 30_000, 60_000]) {
    const input = inputOf(size);
    await stepsSince();
    try {
      wechatH5.verifyNotification(input);
    } catch {
      // Refused: that has its price, too.
    }
    counts[name].push(await stepsSince());
  }
}
process.stdout.write(JSON.stringify(counts));
