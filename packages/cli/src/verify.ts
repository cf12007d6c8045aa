import {
  isWechatH5Error,
  parseXml,
  sign as signFields,
  verifySign,
  type Notification,
  type SignType,
} from '@wechat-h5/core';
import type { Command, Context } from './command.js';
import { apiKeysOf, wechatH5Of } from './configuration.js';
import { EXIT } from './exit-codes.js';
import type { Text } from './language.js';
import { beijing, money, table } from './output.js';
import { readStdin } from './stdin.js';
import { painter, printable } from './terminal.js';

export const verify: Command = {
  synopsis: '< body.xml',
  summary: { en: 'judge the bytes of a notification or a reply', zh: '校验通知或应答报文' },
  details: {
    en: `Says what the notify middleware would say: is it the XML of WeChat Pay, which of the configured keys signed it and how,
is it for this merchant, and what is refused and why. Give the exact bytes; an editor may change them.`,
    zh: `与通知中间件的判断一致：是否为合法报文、由哪个密钥以何种方式签名、是否属于本商户，以及拒绝的原因。
请提供原始字节，编辑器可能会改动内容。`,
  },
  options: {},
  examples: ['verify < body.xml'],
  maxPositionals: 0,
  takesNumbers: false,

  async run(_args, context) {
    const wechatH5 = wechatH5Of(context.env);
    const body = await readStdin(context);
    const verdict = judge(body, apiKeysOf(context.env), (bytes) => wechatH5.verifyNotification(bytes));
    if (context.json) context.printJson(verdict);
    else show(verdict, context);
    return verdict.accepted ? EXIT.OK : EXIT.NO;
  },
};

interface Verdict {
  /** As a notification. */
  readonly accepted: boolean;
  readonly signature?: { readonly signType: SignType; /** From 1; the current one is 1. */ readonly key: number };
  readonly notification?: Notification;
  readonly refused?: {
    readonly code: string;
    readonly message: string;
    readonly hint: string;
    readonly field?: string;
  };
  /** What would have to be otherwise for the signature to fit. */
  readonly remark?: Text;
}

function judge(
  body: Uint8Array,
  apiKeys: readonly string[],
  verifyNotification: (body: Uint8Array) => Notification,
): Verdict {
  let signature: Verdict['signature'];
  let remark: Text | undefined;
  try {
    const fields = parseXml(body);
    signature = signatureOf(fields, apiKeys);
    if (signature === undefined) remark = nearMiss(fields, apiKeys);
    const notification = verifyNotification(body);
    return { accepted: true, ...(signature && { signature }), notification };
  } catch (error) {
    if (!isWechatH5Error(error)) throw error;
    const { code, message, hint, field } = error;
    return {
      accepted: false,
      ...(signature && { signature }),
      refused: { code, message, hint, ...(field !== undefined && { field }) },
      ...(remark && { remark }),
    };
  }
}

function signatureOf(fields: Readonly<Record<string, string>>, apiKeys: readonly string[]): Verdict['signature'] {
  const index = apiKeys.findIndex((apiKey) => verifySign(fields, apiKey));
  if (index === -1) return undefined;
  return { key: index + 1, signType: fields['sign']?.length === 64 ? 'HMAC-SHA256' : 'MD5' };
}

/** What people get wrong most often, found by trying it. */
function nearMiss(fields: Readonly<Record<string, string>>, apiKeys: readonly string[]): Text | undefined {
  const { sign: given } = fields;
  if (!given) return undefined;
  const fits = (candidate: Readonly<Record<string, string>>, wanted: string): boolean =>
    apiKeys.some((apiKey) =>
      (['MD5', 'HMAC-SHA256'] as const).some((signType) => signFields(candidate, apiKey, signType) === wanted),
    );
  const { sign: _, ...rest } = fields;
  const trimmed = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, value.trim()]));
  const { sign_type: __, ...untyped } = rest;
  if (fits(rest, given.toUpperCase())) {
    return given === given.toUpperCase()
      ? { en: 'It would fit if sign_type were the other one.', zh: '若 sign_type 为另一种类型，则签名相符。' }
      : {
          en: 'It would fit in upper case: WeChat Pay writes no other.',
          zh: '改为大写则相符：微信支付只使用大写签名。',
        };
  }
  if (fits(trimmed, given)) {
    return {
      en: 'It would fit without the blanks around some value: something has re-formatted the body.',
      zh: '去掉字段值首尾的空白后相符：报文被重新格式化过。',
    };
  }
  if (fits(untyped, given)) {
    return {
      en: 'It would fit without sign_type, which has to be signed, too.',
      zh: '去掉 sign_type 后相符：sign_type 也必须参与签名。',
    };
  }
  return undefined;
}

function show({ signature, notification, refused, remark }: Verdict, { stdout, env, say, print }: Context): void {
  const paint = painter(stdout, env);
  if (signature !== undefined) {
    const { signType, key } = signature;
    const which = { en: `${signType}, key ${key}`, zh: `${signType}，第 ${key} 个密钥` };
    print(`${paint('green', '✓')} ${say({ en: 'signature', zh: '签名' })}: ${say(which)}`);
  }
  if (refused !== undefined) {
    print(`${paint('red', '✗')} ${refused.code}: ${printable(refused.message)}`);
    if (refused.hint !== '') print(`  ${printable(refused.hint)}`);
    if (remark !== undefined) print(`  ${say(remark)}`);
  }
  if (notification === undefined) return;
  print(`${paint('green', '✓')} ${say(KINDS[notification.type])}`);
  print(factsOf(notification));
  if (notification.type === 'refund-hint') {
    const doubt = {
      en: 'Not signed: deciphered with the key, which proves little. Ask: wechat-h5 query --out-refund-no …',
      zh: '退款通知没有签名，仅能解密，不足为凭，请查询确认：wechat-h5 query --out-refund-no …',
    };
    print(`${paint('yellow', '!')} ${say(doubt)}`);
  }
}

const KINDS: Readonly<Record<Notification['type'], Text>> = {
  payment: { en: 'payment', zh: '支付成功通知' },
  'payment-failed': { en: 'payment that failed', zh: '支付失败通知' },
  'refund-hint': { en: 'refund', zh: '退款通知' },
};

function factsOf(notification: Notification): string {
  switch (notification.type) {
    case 'payment':
      return table([
        ['out_trade_no', notification.outTradeNo],
        ['transaction_id', notification.transactionId],
        ['total_fee', money(notification.totalFee, notification.feeType)],
        ['time_end', notification.timeEnd && beijing(notification.timeEnd)],
      ]);
    case 'payment-failed':
      return table([
        ['out_trade_no', notification.outTradeNo],
        ['err_code', notification.errCode],
        ['err_code_des', notification.errCodeDes],
      ]);
    default:
      return table([
        ['out_trade_no', notification.outTradeNo],
        ['out_refund_no', notification.outRefundNo],
        ['refund_id', notification.refundId],
        ['refund_fee', String(notification.refundFee)],
        ['refund_status', notification.refundStatus],
      ]);
  }
}
