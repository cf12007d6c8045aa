import {
  createClientIpResolver,
  createWechatH5,
  optionsFromEnv,
  type Merchant,
  type WechatH5Options,
} from '@wechat-h5/core';
import { namingVariables } from '@wechat-h5/core/adapter';
import { certificateFinding } from './doctor-certificate.js';
import { apiKeysOf, isReadableByOthers } from './configuration.js';
import { fail, failed, ok, warn, type Finding } from './finding.js';

/** Right in every respect: what a check is not about is taken from here, so that each mistake shows alone. */
export const IMPECCABLE: NodeJS.ProcessEnv = {
  WECHAT_PAY_APP_ID: 'wx0000000000000000',
  WECHAT_PAY_MCH_ID: '1900000000',
  WECHAT_PAY_API_KEY: '0'.repeat(32),
  WECHAT_PAY_NOTIFY_URL: 'https://notify-url.invalid/',
};

const CERTIFICATE = [
  ...['CERTIFICATE', 'PRIVATE_KEY', 'P12'].flatMap((name) => [name, `${name}_FILE`]),
  'P12_PASSPHRASE',
];

/** Everything that can be told without asking anybody, a finding for each part. */
export function configurationFindings(env: NodeJS.ProcessEnv, files: readonly string[]): Finding[] {
  return [
    ...files.filter(isReadableByOthers).map(readableFile),
    check('merchant', env, ['APP_ID', 'MCH_ID', 'SIGN_TYPE', 'SUB_APP_ID', 'SUB_MCH_ID'], () => merchant(env)),
    check('api-key', env, ['API_KEY'], () => apiKey(env)),
    check('notify-url', env, ['NOTIFY_URL', 'NOTIFY_PATH', 'GATEWAY'], notifyUrl),
    check('certificate', env, env['WECHAT_PAY_MCH_ID'] ? [...CERTIFICATE, 'MCH_ID'] : CERTIFICATE, (options) => {
      const { certificate } = options.merchant as Merchant;
      return certificateFinding(certificate, env['WECHAT_PAY_MCH_ID'] ?? '');
    }),
    check('client-ip', env, ['TRUSTED_PROXIES', 'CLIENT_IP_HEADER'], (options) => clientIp(options, env)),
    check('h5-domains', env, ['H5_DOMAINS'], h5Domains),
    ...outgoingProxy(env),
  ];
}

/** Lets core judge some variables among others that are beyond reproach. */
function check(
  name: string,
  env: NodeJS.ProcessEnv,
  variables: readonly string[],
  judge: (options: WechatH5Options) => Finding,
): Finding {
  const judged = Object.fromEntries(
    variables.map((variable) => [`WECHAT_PAY_${variable}`, env[`WECHAT_PAY_${variable}`]]),
  );
  try {
    const options = optionsFromEnv({ ...IMPECCABLE, ...judged });
    const make = (): unknown => createWechatH5({ ...options, findOrder: () => Promise.resolve(undefined) });
    namingVariables({}, make, env);
    return judge(options);
  } catch (error) {
    return failed(name, error);
  }
}

function readableFile(file: string): Finding {
  return warn(
    'secret-file',
    { en: `${file} can be read by every user of this machine`, zh: `本机所有用户都可以读取 ${file}` },
    { en: `chmod 600 ${file}`, zh: `chmod 600 ${file}` },
  );
}

function merchant(env: NodeJS.ProcessEnv): Finding {
  const appId = env['WECHAT_PAY_APP_ID']?.trim() ?? '';
  const mchId = env['WECHAT_PAY_MCH_ID']?.trim() ?? '';
  const signType = env['WECHAT_PAY_SIGN_TYPE']?.trim() || 'MD5';
  if (!/^wx[0-9a-f]{16}$/.test(appId)) {
    return warn(
      'merchant',
      {
        en: `appid ${appId} does not look like one: wx and 16 digits from 0 to f`,
        zh: `appid ${appId} 的格式不常见：应为 wx 加 16 位十六进制数`,
      },
      { en: 'Compare it with the merchant platform: AppID accounts.', zh: '请在商户平台的「AppID账号管理」中核对。' },
    );
  }
  if (!/^[0-9]{8,10}$/.test(mchId)) {
    return warn(
      'merchant',
      {
        en: `mch_id ${mchId} does not look like one: 8 to 10 digits`,
        zh: `mch_id ${mchId} 的格式不常见：应为 8 到 10 位数字`,
      },
      { en: 'Compare it with the merchant platform: Account centre.', zh: '请在商户平台的「账户中心」中核对。' },
    );
  }
  return ok(
    'merchant',
    `appid ${appId}, mch_id ${mchId}, orders signed with ${signType}`,
    `appid ${appId}，mch_id ${mchId}，签名类型 ${signType}`,
  );
}

function apiKey(env: NodeJS.ProcessEnv): Finding {
  const apiKeys = apiKeysOf(env);
  if (new Set(apiKeys).size < apiKeys.length) {
    return warn(
      'api-key',
      { en: 'The same API key is given twice', zh: 'API 密钥重复' },
      {
        en: 'During a rotation give the new key, a comma, the old key.',
        zh: '轮换期间请依次填写新密钥、逗号、旧密钥。',
      },
    );
  }
  if (apiKeys.some((key) => !/^[0-9A-Za-z]{32}$/.test(key))) {
    return warn(
      'api-key',
      { en: 'An API key has characters other than letters and digits', zh: 'API 密钥包含字母和数字以外的字符' },
      {
        en: 'The merchant platform takes letters and digits only: compare it.',
        zh: '商户平台只接受字母和数字，请核对。',
      },
    );
  }
  return apiKeys.length === 1
    ? ok('api-key', '32 letters and digits', '32 位字母和数字')
    : ok(
        'api-key',
        `${apiKeys.length} keys: the first signs, all verify`,
        `${apiKeys.length} 个密钥：第一个用于签名，全部用于验签`,
      );
}

function notifyUrl({ notifyUrl: value }: WechatH5Options): Finding {
  const url = new URL(value);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const unreachable = {
    en: `${url.host} cannot be reached from outside`,
    zh: `${url.host} 无法从公网访问`,
  };
  const publicHost = {
    en: 'Give a host name of the public internet. WeChat Pay posts there from its own network.',
    zh: '请使用公网域名：微信支付将从其网络向该地址发送通知。',
  };
  const address = /^[0-9.]+$/.test(host) || host.includes(':');
  if (url.protocol === 'https:') {
    if (address && !isPublic(host)) return fail('notify-url', unreachable, publicHost);
    if (!address && (!host.includes('.') || /\.(local|internal|lan|test|localhost|invalid|example)$/.test(host))) {
      return fail('notify-url', unreachable, publicHost);
    }
    if (address) {
      return warn(
        'notify-url',
        { en: `${url.host} is an address without a name`, zh: `${url.host} 是 IP 地址而不是域名` },
        {
          en: 'Its certificate has to be valid for the address. A host name is usual.',
          zh: '证书必须对该 IP 有效，建议使用域名。',
        },
      );
    }
  }
  return ok('notify-url', `${value} (shape only: nothing was sent there)`, `${value}（仅检查格式，未实际访问）`);
}

function isPublic(host: string): boolean {
  try {
    return createClientIpResolver({ ipv6: 'send' }).resolve({ remoteAddress: host, rawHeaders: [] }).public;
  } catch {
    return false;
  }
}

function clientIp({ clientIp: given = {} }: WechatH5Options, env: NodeJS.ProcessEnv): Finding {
  const set = env['WECHAT_PAY_TRUSTED_PROXIES']?.trim();
  const header = given.header ?? 'x-forwarded-for';
  const { trust } = given;
  if (!set) {
    return warn(
      'client-ip',
      {
        en: 'WECHAT_PAY_TRUSTED_PROXIES is not set: the payer is whoever connects, right only with no proxy in front',
        zh: '未设置 WECHAT_PAY_TRUSTED_PROXIES：以直接连接的对端为付款人，仅在前面没有代理时正确',
      },
      {
        en: 'Say none if nothing is in front, else which proxies are (loopback, 10.0.0.0/8, hops:1), unless clientIp is set in code.',
        zh: '前面没有代理请设为 none，否则填写代理（loopback、10.0.0.0/8、hops:1）；已在代码中设置 clientIp 的除外。',
      },
    );
  }
  if (trust === undefined)
    return ok('client-ip', 'the socket decides, no header is believed', '以连接对端为准，不采信任何请求头');
  if (typeof trust === 'object' && 'hops' in trust) {
    return warn(
      'client-ip',
      {
        en: `${trust.hops} hops of ${header} are counted, not checked`,
        zh: `${header} 只按 ${trust.hops} 跳计数，不做核对`,
      },
      {
        en: 'Make sure that nobody can reach the shop around its proxies, or list the proxies.',
        zh: '请确保无人能绕过代理直连，或改为列出代理。',
      },
    );
  }
  return ok('client-ip', `${header} is believed from ${String(trust)}`, `采信来自 ${String(trust)} 的 ${header}`);
}

function h5Domains({ merchant: configured }: WechatH5Options): Finding {
  const { h5Domains: domains = [] } = configured as { h5Domains?: readonly string[] };
  if (domains.length > 0) return ok('h5-domains', domains.join(', '), domains.join('、'));
  return warn(
    'h5-domains',
    {
      en: 'WECHAT_PAY_H5_DOMAINS is not set: redirect_url is not compared with the domains registered',
      zh: '未设置 WECHAT_PAY_H5_DOMAINS：无法核对 redirect_url 的域名',
    },
    {
      en: 'List the domains of the merchant platform (Product centre, H5 payment), unless h5Domains is set in code.',
      zh: '请填写商户平台「产品中心 → H5支付」中登记的域名；已在代码中设置 h5Domains 的除外。',
    },
  );
}

function outgoingProxy(env: NodeJS.ProcessEnv): Finding[] {
  const name = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'].find((candidate) => env[candidate]);
  if (name === undefined) return [];
  return [
    warn(
      'outgoing-proxy',
      {
        en: `${name} is set, and calls to WeChat Pay do not use it`,
        zh: `已设置 ${name}，但对微信支付的请求不会使用它`,
      },
      { en: 'Let this server reach WeChat Pay directly.', zh: '请允许本服务器直接访问微信支付。' },
    ),
  ];
}
