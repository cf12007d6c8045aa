import { buildXml, isWechatH5Error, parseXml, sign as signFields, type SignType } from '@wechat-h5/core';
import type { Command, Context } from './command.js';
import { requiredApiKeys } from './configuration.js';
import { EXIT } from './exit-codes.js';
import { usage } from './failure.js';
import { readStdin } from './stdin.js';

const SIGN_TYPES: readonly SignType[] = ['MD5', 'HMAC-SHA256'];

export const sign: Command = {
  synopsis: '[--sign-type <type>] [--xml | --string] < fields',
  summary: { en: 'sign the fields of a message', zh: '对报文字段签名' },
  details: {
    en: `Reads a flat <xml> message or a JSON object of strings. A sign among the fields is passed over.
The type is --sign-type, else the field sign_type, else WECHAT_PAY_SIGN_TYPE, else MD5.`,
    zh: `从标准输入读取扁平的 <xml> 报文或 JSON 对象（值为字符串），其中的 sign 字段会被忽略。
签名类型依次取 --sign-type、sign_type 字段、WECHAT_PAY_SIGN_TYPE，默认 MD5。`,
  },
  options: {
    'sign-type': {
      type: 'string',
      value: '<MD5|HMAC-SHA256>',
      text: { en: 'how to sign; does not add sign_type to the fields', zh: '签名类型；不会自动加入 sign_type 字段' },
    },
    xml: { type: 'boolean', text: { en: 'the whole message, with its sign', zh: '输出带签名的完整报文' } },
    string: {
      type: 'boolean',
      text: { en: 'the string to sign, its key replaced by ***', zh: '输出待签名字符串，密钥以 *** 代替' },
    },
  },
  examples: ['sign < order.xml', `sign --string --sign-type HMAC-SHA256 < order.json`],
  maxPositionals: 0,
  takesNumbers: false,

  async run(args, context) {
    const [apiKey] = requiredApiKeys(context.env);
    if (args.has('xml') && args.has('string')) {
      throw usage({ en: '--xml and --string exclude each other', zh: '--xml 与 --string 不能同时使用' });
    }
    const { sign: _, ...fields } = await readFields(context);
    const signType = signTypeOf(args.text('sign-type') ?? fields['sign_type'] ?? context.env['WECHAT_PAY_SIGN_TYPE']);
    const signature = ofInput(() => signFields(fields, apiKey, signType));
    const stringToSign = `${pairsOf(fields)}&key=***`;
    if (context.json) context.printJson({ sign: signature, signType, stringToSign });
    else if (args.has('xml')) context.print(buildXml({ ...fields, sign: signature }));
    else context.print(args.has('string') ? stringToSign : signature);
    return EXIT.OK;
  },
};

function signTypeOf(given: string | undefined): SignType {
  const signType = SIGN_TYPES.find((type) => type === (given || 'MD5'));
  if (signType !== undefined) return signType;
  throw usage(
    { en: 'The sign type is unknown', zh: '签名类型未知' },
    { en: `Use ${SIGN_TYPES.join(' or ')}.`, zh: `请使用 ${SIGN_TYPES.join(' 或 ')}。` },
  );
}

async function readFields(context: Context): Promise<Record<string, string>> {
  const body = await readStdin(context);
  const text = body.toString('utf8').trim();
  // A line break at the end is the editor's, not the message's.
  if (!text.startsWith('{')) return ofInput(() => parseXml(text));
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    throw usage({ en: 'The JSON on stdin does not parse', zh: '标准输入的 JSON 无法解析' });
  }
  // Not one of the values is shown: core names the field that is no string.
  return fields as Record<string, string>;
}

/** What core refuses here is what was piped in, not what WeChat Pay sent. */
function ofInput<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!isWechatH5Error(error)) throw error;
    const { message, hint } = error;
    throw usage({ en: message, zh: message }, { en: hint, zh: hint });
  }
}

/** As WeChat Pay wants it, for a comparison by eye; core signs its own. */
function pairsOf(fields: Readonly<Record<string, string>>): string {
  return Object.keys(fields)
    .filter((name) => fields[name] !== '')
    .sort()
    .map((name) => `${name}=${fields[name]}`)
    .join('&');
}
