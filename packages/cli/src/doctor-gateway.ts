import { randomBytes } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { TLSSocket } from 'node:tls';
import { isWechatH5Error, optionsFromEnv, type WechatH5 } from '@wechat-h5/core';
import { apiKeysOf, wechatH5Of } from './configuration.js';
import { IMPECCABLE } from './doctor-configuration.js';
import { fail, failed, ok, warn, type Finding } from './finding.js';
import { printable } from './terminal.js';

const TIMEOUT_MS = 5000;
/** A link lives five minutes; half a minute off, its life is no longer what the shop believes. */
const CLOCK_WARN_MS = 30_000;
const CLOCK_FAIL_MS = 5 * 60_000;

/** Whether a host answers, and what its clock says. Asks for nothing but a page. */
export async function hostFindings(base: URL): Promise<Finding[]> {
  const check = 'gateway';
  let seen: Seen;
  try {
    seen = await look(base);
  } catch (error) {
    const { code = 'no answer' } = error as NodeJS.ErrnoException;
    return [
      fail(
        check,
        { en: `${base.host} cannot be reached (${code})`, zh: `无法连接 ${base.host}（${code}）` },
        CURES[code] ?? {
          en: 'Check DNS, the firewall and the routes of this server: it needs port 443 outwards.',
          zh: '请检查本服务器的 DNS、防火墙与路由，需要能访问外部 443 端口。',
        },
      ),
    ];
  }
  const { protocol, tookMs, date } = seen;
  return [
    ok(check, `${base.host} answers: ${protocol}, ${tookMs} ms`, `${base.host} 可以访问：${protocol}，${tookMs} 毫秒`),
    clock(base, date),
  ];
}

interface Seen {
  readonly protocol: string;
  readonly tookMs: number;
  readonly date: { readonly stated: number; readonly here: number } | undefined;
}

const TIME = {
  en: "Its certificate is not valid at this machine's time: set the clock, then look again.",
  zh: '按本机时间，对方证书不在有效期内：请先校准时钟。',
};
const INTERCEPTED = {
  en: 'Somebody in between shows another certificate. If that is a proxy of yours, take WeChat Pay out of its inspection.',
  zh: '有中间设备替换了证书。如为自有代理，请将微信支付域名排除在检查之外。',
};
const CURES: Readonly<Record<string, { en: string; zh: string }>> = {
  CERT_HAS_EXPIRED: TIME,
  CERT_NOT_YET_VALID: TIME,
  SELF_SIGNED_CERT_IN_CHAIN: INTERCEPTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: INTERCEPTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: INTERCEPTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: INTERCEPTED,
  ERR_TLS_CERT_ALTNAME_INVALID: INTERCEPTED,
};

function look(base: URL): Promise<Seen> {
  const { request } = base.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const began = Date.now();
    const asked = request(base, { method: 'HEAD', agent: false, signal: AbortSignal.timeout(TIMEOUT_MS) });
    asked.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.name === 'AbortError' || error.name === 'TimeoutError'
          ? Object.assign(error, { code: 'ETIMEDOUT' })
          : error,
      ),
    );
    asked.on('response', (response) => {
      const ended = Date.now();
      const stated = Date.parse(response.headers.date ?? '');
      const socket = response.socket as Partial<TLSSocket>;
      resolve({
        protocol: socket.getProtocol?.() ?? 'http',
        tookMs: ended - began,
        // The header counts whole seconds: on the average the moment was half a second later.
        date: Number.isNaN(stated) ? undefined : { stated: stated + 500, here: (began + ended) / 2 },
      });
      asked.destroy();
    });
    asked.end();
  });
}

function clock(base: URL, date: Seen['date']): Finding {
  if (date === undefined) {
    return warn(
      'clock',
      { en: `${base.host} states no time: the clock was not compared`, zh: `${base.host} 未返回时间，无法核对时钟` },
      { en: 'Compare the clock of this machine by hand.', zh: '请手动核对本机时钟。' },
    );
  }
  const offMs = date.here - date.stated;
  const seconds = Math.round(Math.abs(offMs) / 1000);
  if (Math.abs(offMs) < CLOCK_WARN_MS) {
    return ok(
      'clock',
      `within ${Math.max(1, seconds)} s of ${base.host}`,
      `与 ${base.host} 相差 ${Math.max(1, seconds)} 秒以内`,
    );
  }
  const text =
    offMs > 0
      ? { en: `The clock of this machine is ${seconds} s fast`, zh: `本机时钟快 ${seconds} 秒` }
      : { en: `The clock of this machine is ${seconds} s slow`, zh: `本机时钟慢 ${seconds} 秒` };
  const cure = {
    en: 'Synchronise it (timedatectl set-ntp true): time_expire and the five minutes of a link are counted by it.',
    zh: '请启用时间同步（timedatectl set-ntp true）：time_expire 与链接的五分钟有效期都依赖它。',
  };
  return Math.abs(offMs) >= CLOCK_FAIL_MS ? fail('clock', text, cure) : warn('clock', text, cure);
}

/**
 * Asks for an order that cannot exist: the signed answer that there is none proves the ids and the key, and nothing
 * is created.
 */
export async function credentialsFinding(env: NodeJS.ProcessEnv): Promise<Finding> {
  const apiKeys = apiKeysOf(env);
  const error = await probe(wechatH5Of(env));
  if (error === 'proven') {
    return ok(
      'credentials',
      'appid, mch_id and API key are accepted, and replies verify (whether H5 payment is enabled shows with the first order)',
      'appid、mch_id 与 API 密钥有效，应答验签通过（H5 支付权限需下单时才能确认）',
    );
  }
  for (const [index, apiKey] of apiKeys.entries()) {
    if (index === 0 || (await probe(withKey(env, apiKey))) !== 'proven') continue;
    return fail(
      'credentials',
      {
        en: `WeChat Pay accepts key ${index + 1} and not key 1, which signs`,
        zh: `微信支付接受第 ${index + 1} 个密钥，而不接受用于签名的第 1 个`,
      },
      {
        en: 'Put the key that is in force first in WECHAT_PAY_API_KEY.',
        zh: '请将当前生效的密钥放在 WECHAT_PAY_API_KEY 的第一位。',
      },
    );
  }
  return credentialsRefused(error);
}

function withKey(env: NodeJS.ProcessEnv, apiKey: string): WechatH5 {
  return wechatH5Of({ ...env, WECHAT_PAY_API_KEY: apiKey });
}

async function probe(wechatH5: WechatH5): Promise<unknown> {
  try {
    await wechatH5.queryOrder({ outTradeNo: `doctor-${randomBytes(12).toString('hex')}` });
    return new Error('an order that cannot exist was found');
  } catch (error) {
    return isWechatH5Error(error) && error.errCode === 'ORDERNOTEXIST' ? 'proven' : error;
  }
}

function credentialsRefused(error: unknown): Finding {
  if (!isWechatH5Error(error)) throw error;
  const { code, errCodeDes = '' } = error;
  if (code === 'GATEWAY_REFUSED') return failed('credentials', error);
  if (code === 'RETURN_CODE_FAIL') {
    const said = printable(errCodeDes);
    return fail(
      'credentials',
      { en: `WeChat Pay refuses: ${said}`, zh: `微信支付拒绝：${said}` },
      /签名|sign/i.test(errCodeDes)
        ? {
            en: 'WECHAT_PAY_API_KEY is not the API v2 key of this mch_id. It is neither the AppSecret nor the APIv3 key: merchant platform, Account centre, API security.',
            zh: 'WECHAT_PAY_API_KEY 不是该商户号的 APIv2 密钥（也不是 AppSecret 或 APIv3 密钥）：商户平台 → 账户中心 → API安全。',
          }
        : {
            en: 'Compare WECHAT_PAY_APP_ID and WECHAT_PAY_MCH_ID with the merchant platform: the two have to be bound to each other.',
            zh: '请在商户平台核对 WECHAT_PAY_APP_ID 与 WECHAT_PAY_MCH_ID，两者必须已绑定。',
          },
    );
  }
  const { message, hint } = error;
  return fail('credentials', { en: message, zh: message }, { en: hint, zh: hint });
}

/** @throws {WechatH5Error} */
export function gatewayOf(env: NodeJS.ProcessEnv): string | readonly string[] {
  return optionsFromEnv({ ...IMPECCABLE, WECHAT_PAY_GATEWAY: env['WECHAT_PAY_GATEWAY'] }).gateway ?? 'mainland';
}
