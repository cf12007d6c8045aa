import { certificateFromEnv } from './certificate-variables.js';
import type { ClientIpOptions } from './client-ip.js';
import { isWechatH5Error, quoted, WechatH5Error } from './errors.js';
import type { Merchant } from './merchant.js';
import type { WechatH5Options } from './options.js';

/**
 * Options from environment variables: `WECHAT_PAY_APP_ID`, `WECHAT_PAY_MCH_ID`, `WECHAT_PAY_API_KEY` (a
 * comma-separated list during a rotation, the current key first), `WECHAT_PAY_NOTIFY_URL`, and optionally
 * `WECHAT_PAY_NOTIFY_PATH`, `WECHAT_PAY_SIGN_TYPE`, `WECHAT_PAY_SUB_APP_ID`, `WECHAT_PAY_SUB_MCH_ID`,
 * `WECHAT_PAY_H5_DOMAINS` (comma-separated), `WECHAT_PAY_TRUSTED_PROXIES` (`none`, `hops:2`, or a
 * comma-separated list such as `loopback,10.0.0.0/8`), `WECHAT_PAY_CLIENT_IP_HEADER`, `WECHAT_PAY_GATEWAY`
 * (`mainland`, `global`, or comma-separated base URLs), `WECHAT_PAY_DOCTOR_SECRET`; for refunds `WECHAT_PAY_CERTIFICATE` and
 * `WECHAT_PAY_PRIVATE_KEY` (PEM) or `WECHAT_PAY_P12` (base64), each also as `…_FILE`, and `WECHAT_PAY_P12_PASSPHRASE`.
 *
 * @throws {WechatH5Error} `ENVIRONMENT_INVALID`, `field` naming the variable
 */
export function optionsFromEnv(env: NodeJS.ProcessEnv = process.env): WechatH5Options {
  return withEnvironment({}, env);
}

/**
 * The given options laid over the environment: a variable is read, and missed, only where the option is absent.
 * @throws {WechatH5Error} `ENVIRONMENT_INVALID`
 */
export function withEnvironment<Tx>(
  given: Partial<WechatH5Options<Tx>>,
  env: NodeJS.ProcessEnv = process.env,
): WechatH5Options<Tx> {
  const optional = (name: string): string | undefined => env[`WECHAT_PAY_${name}`]?.trim() || undefined;
  const required = (name: string, option: string): string => {
    const value = optional(name);
    if (value !== undefined) return value;
    throw new WechatH5Error('ENVIRONMENT_INVALID', `WECHAT_PAY_${name} is not set`, {
      field: `WECHAT_PAY_${name}`,
      hint: `Set it, or pass ${option} in code. 请设置环境变量 WECHAT_PAY_${name}，或在代码中传入 ${option}。`,
    });
  };
  const options: WechatH5Options<Tx> = {
    ...given,
    merchant: given.merchant ?? merchantFromEnv(required, optional),
    notifyUrl: given.notifyUrl ?? required('NOTIFY_URL', 'notifyUrl'),
  };
  const notifyPath = given.notifyPath ?? optional('NOTIFY_PATH');
  if (notifyPath !== undefined) options.notifyPath = notifyPath;
  const clientIp = given.clientIp ?? clientIpFromEnv(optional);
  if (clientIp !== undefined) options.clientIp = clientIp;
  const gateway = given.gateway ?? gatewayFromEnv(optional('GATEWAY'));
  if (gateway !== undefined) options.gateway = gateway;
  const doctorSecret = given.doctorSecret ?? optional('DOCTOR_SECRET');
  if (doctorSecret !== undefined) options.doctorSecret = doctorSecret;
  return options;
}

type Variable = (name: string) => string | undefined;

function merchantFromEnv(required: (name: string, option: string) => string, optional: Variable): Merchant {
  const keys = list(required('API_KEY', 'merchant.apiKey'));
  const merchant: Merchant = {
    appId: required('APP_ID', 'merchant.appId'),
    mchId: required('MCH_ID', 'merchant.mchId'),
    apiKey: keys.length === 1 ? (keys[0] as string) : keys,
  };
  const signType = optional('SIGN_TYPE');
  if (signType !== undefined) {
    if (signType !== 'MD5' && signType !== 'HMAC-SHA256') {
      throw badVariable('SIGN_TYPE', `is ${quoted(signType)}`, 'Use MD5 or HMAC-SHA256.');
    }
    merchant.signType = signType;
  }
  const subAppId = optional('SUB_APP_ID');
  if (subAppId !== undefined) merchant.subAppId = subAppId;
  const subMchId = optional('SUB_MCH_ID');
  if (subMchId !== undefined) merchant.subMchId = subMchId;
  const domains = optional('H5_DOMAINS');
  if (domains !== undefined) merchant.h5Domains = list(domains);
  const certificate = certificateFromEnv(optional);
  if (certificate !== undefined) merchant.certificate = certificate;
  return merchant;
}

function clientIpFromEnv(optional: Variable): ClientIpOptions | undefined {
  const proxies = optional('TRUSTED_PROXIES');
  const header = optional('CLIENT_IP_HEADER');
  if (proxies === undefined && header === undefined) return undefined;
  const clientIp: ClientIpOptions = {};
  if (header !== undefined) clientIp.header = header;
  if (proxies !== undefined && proxies !== 'none') {
    const hops = /^hops:(.*)$/.exec(proxies);
    if (hops !== null && !/^\d{1,3}$/.test(hops[1] as string)) {
      throw badVariable('TRUSTED_PROXIES', `is ${quoted(proxies)}`, 'Write hops: and a number, such as hops:2.');
    }
    clientIp.trust = hops === null ? list(proxies) : { hops: Number(hops[1]) };
  }
  return clientIp;
}

function gatewayFromEnv(value: string | undefined): string | readonly string[] | undefined {
  if (value === undefined || !value.includes(',')) return value;
  return list(value);
}

function list(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function badVariable(name: string, problem: string, hint: string): WechatH5Error {
  return new WechatH5Error('ENVIRONMENT_INVALID', `WECHAT_PAY_${name} ${problem}`, {
    field: `WECHAT_PAY_${name}`,
    hint,
  });
}

/** Which variable an option came from: the field of an error, the option it is part of, the variables that may hold it. */
const VARIABLES: readonly (readonly [field: string, option: keyof WechatH5Options, ...variables: string[]])[] = [
  ['merchant.appId', 'merchant', 'APP_ID'],
  ['merchant.mchId', 'merchant', 'MCH_ID'],
  ['merchant.apiKey', 'merchant', 'API_KEY'],
  ['merchant.subAppId', 'merchant', 'SUB_APP_ID'],
  ['merchant.subMchId', 'merchant', 'SUB_MCH_ID'],
  ['merchant.h5Domains', 'merchant', 'H5_DOMAINS'],
  ['merchant.certificate', 'merchant', 'CERTIFICATE_FILE', 'CERTIFICATE', 'P12_FILE', 'P12'],
  ['merchant.certificate.cert', 'merchant', 'CERTIFICATE_FILE', 'CERTIFICATE'],
  ['merchant.certificate.key', 'merchant', 'PRIVATE_KEY_FILE', 'PRIVATE_KEY'],
  ['merchant.certificate.pfx', 'merchant', 'P12_FILE', 'P12'],
  ['merchant.certificate.passphrase', 'merchant', 'P12_PASSPHRASE'],
  ['notifyUrl', 'notifyUrl', 'NOTIFY_URL'],
  ['notifyPath', 'notifyPath', 'NOTIFY_PATH'],
  ['clientIp.trust', 'clientIp', 'TRUSTED_PROXIES'],
  ['clientIp.header', 'clientIp', 'CLIENT_IP_HEADER'],
  ['gateway', 'gateway', 'GATEWAY'],
  ['doctorSecret', 'doctorSecret', 'DOCTOR_SECRET'],
];

/**
 * Runs `make`; an error about an option that came from the environment names the variable, which is what its reader
 * has set.
 */
export function namingVariables<Tx, Result>(
  given: Partial<WechatH5Options<Tx>>,
  make: () => Result,
  env: NodeJS.ProcessEnv = process.env,
): Result {
  try {
    return make();
  } catch (error) {
    if (!isWechatH5Error(error)) throw error;
    const { code, message, hint, field = '' } = error;
    const found = VARIABLES.find(
      ([name, option]) => field.replace(/\[\d+\]$/, '') === name && given[option] === undefined,
    );
    if (found === undefined) throw error;
    const [, , ...names] = found.map((name) => `WECHAT_PAY_${name}`);
    const variable = names.find((name) => env[name] !== undefined) ?? String(names.at(-1));
    throw new WechatH5Error(code, `${variable}: ${message}`, { field: variable, hint, cause: error });
  }
}
