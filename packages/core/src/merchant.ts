import { checkedCertificate, type Certificate } from './certificate.js';
import { WechatH5Error } from './errors.js';
import type { CertificateOptions } from './gateway-request.js';
import { indexOfName } from './field-name.js';
import { handleKey } from './payer-handle.js';
import { createReqInfoOpener, type ReqInfoOpener } from './refund-notification.js';
import { prepareKey, type PreparedKey, type SignedMessage, type SignType } from './signature.js';
import { signedXml } from './signed-xml.js';

/** Who the shop is to WeChat Pay. Ids as the merchant platform shows them. */
export interface Merchant {
  /** `appid`, bound to `mchId`. */
  appId: string;
  /** `mch_id`; in service-provider mode the provider's. */
  mchId: string;
  /**
   * The API v2 key, 32 characters (商户平台 → 账户中心 → API安全). During a rotation a list, the current one
   * first: it signs, and every one of them verifies.
   */
  apiKey: string | readonly string[];
  /** How orders are signed; notifications come back the same way. Default `MD5`, WeChat Pay's own. */
  signType?: SignType;
  /**
   * Take only notifications signed with HMAC-SHA256. Default false: in rare cases WeChat Pay has signed with
   * MD5 for merchants who order with HMAC-SHA256, and such a genuine notification is then refused.
   */
  onlyHmacSha256?: boolean;
  /** `sub_appid` and `sub_mch_id` of the shop served, in service-provider and institutional mode. */
  subAppId?: string;
  subMchId?: string;
  /** The domains registered for H5 payments (H5支付域名), as host names. `redirect_url` may only lead to one of them. */
  h5Domains?: readonly string[];
  /** The merchant API certificate, as contents. Refunds and fund flows need it, nothing else does. */
  certificate?: Certificate;
}

const APPID = indexOfName('appid');
const MCH_ID = indexOfName('mch_id');
const SUB_APPID = indexOfName('sub_appid');
const SUB_MCH_ID = indexOfName('sub_mch_id');

/** A merchant whose configuration was checked. Holds its keys so that no inspection or JSON shows them. */
export class KnownMerchant {
  readonly appId: string;
  readonly mchId: string;
  readonly subAppId: string | undefined;
  readonly subMchId: string | undefined;
  readonly signType: SignType;
  readonly onlyHmacSha256: boolean;
  readonly h5Domains: readonly string[];
  /** For mutual TLS. */
  readonly #keys: readonly PreparedKey[];
  readonly #signingKey: string;
  readonly #reqInfoOpeners: readonly ReqInfoOpener[];
  readonly #handleKeys: readonly Buffer[];
  readonly #certificate: CertificateOptions | undefined;

  /** @param option the option's name, for messages: `merchant` or `merchant[1]` */
  constructor(merchant: Merchant, option: string) {
    this.appId = id(merchant.appId, `${option}.appId`, 'appid');
    this.mchId = id(merchant.mchId, `${option}.mchId`, 'mch_id');
    this.subAppId =
      merchant.subAppId === undefined ? undefined : id(merchant.subAppId, `${option}.subAppId`, 'sub_appid');
    this.subMchId =
      merchant.subMchId === undefined ? undefined : id(merchant.subMchId, `${option}.subMchId`, 'sub_mch_id');
    const signType = merchant.signType ?? 'MD5';
    if (signType !== 'MD5' && signType !== 'HMAC-SHA256') {
      throw invalid(`${option}.signType`, 'is neither MD5 nor HMAC-SHA256', "Use 'MD5' or 'HMAC-SHA256'.");
    }
    this.signType = signType;
    const apiKeys = typeof merchant.apiKey === 'string' ? [merchant.apiKey] : [...(merchant.apiKey ?? [])];
    apiKeys.forEach((apiKey, index) =>
      checkApiKey(apiKey, apiKeys.length > 1 ? `${option}.apiKey[${index}]` : `${option}.apiKey`),
    );
    const [current] = apiKeys;
    if (current === undefined) throw invalid(`${option}.apiKey`, 'is missing', KEY_HINT);
    this.#signingKey = current;
    this.#keys = apiKeys.map(prepareKey);
    this.#reqInfoOpeners = apiKeys.map(createReqInfoOpener);
    this.#handleKeys = apiKeys.map(handleKey);
    this.onlyHmacSha256 = merchant.onlyHmacSha256 === true;
    this.h5Domains = (merchant.h5Domains ?? []).map((domain, index) =>
      hostName(domain, `${option}.h5Domains[${index}]`),
    );
    this.#certificate =
      merchant.certificate && checkedCertificate(merchant.certificate, `${option}.certificate`, this.mchId);
  }

  /** For the `req_info` of refund notifications; current key first. */
  get reqInfoOpeners(): readonly ReqInfoOpener[] {
    return this.#reqInfoOpeners;
  }

  /** For the handles of payers' browsers; current key first. */
  get handleKeys(): readonly Buffer[] {
    return this.#handleKeys;
  }

  /** For mutual TLS. */
  get certificate(): CertificateOptions | undefined {
    return this.#certificate;
  }

  /** Current key first. */
  get keys(): readonly PreparedKey[] {
    return this.#keys;
  }

  /** The fields with their signature, as the XML that is sent. `own`: {@link identity} and what else belongs to a request. */
  signedXml(
    own: Readonly<Record<string, string>>,
    business: Readonly<Record<string, string>>,
    signType: SignType = this.signType,
  ): string {
    return signedXml(own, business, this.#keys[0]!, () => this.#signingKey, signType);
  }

  /** The fields that say who we are, in a request. */
  get identity(): Record<string, string> {
    const identity: Record<string, string> = { appid: this.appId, mch_id: this.mchId };
    if (this.subAppId !== undefined) identity['sub_appid'] = this.subAppId;
    if (this.subMchId !== undefined) identity['sub_mch_id'] = this.subMchId;
    return identity;
  }

  /** The official name of the first id in the message that is not ours, or `undefined`. */
  foreignId(message: SignedMessage): string | undefined {
    if (!message.is(APPID, this.appId)) return 'appid';
    if (!message.is(MCH_ID, this.mchId)) return 'mch_id';
    if (!message.is(SUB_MCH_ID, this.subMchId)) return 'sub_mch_id';
    if (this.subAppId === undefined || message.is(SUB_APPID, this.subAppId)) return undefined;
    // sub_appid is optional in what WeChat Pay sends: absent proves nothing, another one does.
    return message.is(SUB_APPID, undefined) ? undefined : 'sub_appid';
  }
}

/** All merchants of one instance. */
export class Merchants {
  readonly all: readonly KnownMerchant[];

  constructor(option: Merchant | readonly Merchant[]) {
    const list = Array.isArray(option) ? (option as readonly Merchant[]) : [option as Merchant];
    if (list.length === 0) throw invalid('merchant', 'is an empty list', 'Name at least one merchant.');
    this.all = list.map((merchant, index) => {
      const name = list.length > 1 ? `merchant[${index}]` : 'merchant';
      if (typeof merchant !== 'object' || merchant === null)
        throw invalid(name, 'is missing', 'Give { appId, mchId, apiKey }.');
      return new KnownMerchant(merchant, name);
    });
    const seen = new Set<string>();
    for (const { mchId, subMchId, appId } of this.all) {
      const ids = `${mchId} ${subMchId ?? ''} ${appId}`;
      if (seen.has(ids))
        throw invalid(
          'merchant',
          `names ${mchId} twice with the same appId`,
          'List every merchant once; several keys go into one apiKey list.',
        );
      seen.add(ids);
    }
  }

  /** Whose message this is, by its ids alone: needed before the signature can be checked. */
  ofMessage(message: SignedMessage): KnownMerchant | undefined {
    let sameIds: KnownMerchant | undefined;
    for (const known of this.all) {
      if (!message.is(MCH_ID, known.mchId) || !message.is(SUB_MCH_ID, known.subMchId)) continue;
      if (message.is(APPID, known.appId)) return known;
      sameIds ??= known;
    }
    return sameIds;
  }

  /**
   * The merchant a call is for. With one merchant the ids may be left out.
   * @throws {WechatH5Error} `MERCHANT_UNKNOWN`
   */
  named(ref: { mchId?: string | undefined; subMchId?: string | undefined; appId?: string | undefined }): KnownMerchant {
    if (typeof ref !== 'object' || ref === null) {
      throw new WechatH5Error('ORDER_FIELD_INVALID', 'The call does not say which order', {
        hint: 'Pass { outTradeNo } or { transactionId }.',
      });
    }
    const matching = this.all.filter(
      (known) =>
        (ref.mchId === undefined || known.mchId === ref.mchId) &&
        (ref.subMchId === undefined || known.subMchId === ref.subMchId) &&
        (ref.appId === undefined || known.appId === ref.appId),
    );
    const [only] = matching;
    if (only !== undefined && matching.length === 1) return only;
    throw new WechatH5Error(
      'MERCHANT_UNKNOWN',
      matching.length === 0
        ? `No configured merchant has mchId ${String(ref.mchId)}`
        : 'Several merchants are configured and the call does not say which',
      { field: 'mchId', hint: 'Pass mchId (and subMchId or appId where one mchId serves several).' },
    );
  }
}

const KEY_HINT =
  'Give the API v2 key: 32 letters and digits, merchant platform → Account centre → API security. ' +
  '请填写 APIv2 密钥：32 位字母和数字，商户平台 → 账户中心 → API安全。';

function checkApiKey(apiKey: unknown, option: string): void {
  if (typeof apiKey !== 'string') throw invalid(option, 'is missing', KEY_HINT);
  // The length is said, the key never.
  if (!/^[\x21-\x7e]{32}$/.test(apiKey)) {
    throw invalid(
      option,
      `has ${apiKey.length} characters or some that are not printable ASCII; it must have 32`,
      KEY_HINT,
    );
  }
}

function id(value: unknown, option: string, official: string): string {
  if (typeof value === 'string' && /^[0-9A-Za-z_-]{1,32}$/.test(value)) return value;
  throw invalid(
    option,
    `is not a valid ${official}`,
    `Give ${official} as the merchant platform shows it: 1 to 32 letters and digits. 请填写商户平台上的 ${official}。`,
  );
}

function hostName(domain: unknown, option: string): string {
  if (typeof domain === 'string' && /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d+)?$/i.test(domain))
    return domain.toLowerCase();
  throw invalid(option, 'is not a host name', "Write the domain alone, such as 'pay.example.com': no scheme, no path.");
}

function invalid(option: string, problem: string, hint: string): WechatH5Error {
  return new WechatH5Error('OPTIONS_INVALID', `${option} ${problem}`, { field: option, hint });
}
