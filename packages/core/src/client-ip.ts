import { expressTrustMissing, expressTrustsAll, expressTrustThrew } from './client-ip-errors.js';
import { explain, type ClientIpExplanation } from './client-ip-explanation.js';
import { readClientIpOptions, type ClientIpOptions } from './client-ip-options.js';
import { findPayer, type ClientIp, type ClientIpRequest } from './client-ip-walk.js';
import { trustByFunction, trustsEverybody, type TrustedProxies, type TrustFunction } from './trusted-proxies.js';

export type { ClientIpExplanation } from './client-ip-explanation.js';
export type { ClientIpOptions } from './client-ip-options.js';
export type { ClientIp, ClientIpRequest } from './client-ip-walk.js';
export type { TrustFunction } from './trusted-proxies.js';

export interface ClientIpResolver {
  /**
   * The payer's address.
   *
   * @param expressTrust for `trust: 'express'` the application's `app.get('trust proxy fn')`; otherwise not looked at
   * @throws WechatH5Error when the deployment is misconfigured; it never falls back to a proxy's address. NO_PEER,
   * PEER_INVALID, HEADER_MISSING, HEADER_REPEATED, HEADER_INVALID, ITEM_INVALID, CHAIN_TOO_SHORT, TOO_MANY_HOPS,
   * ALL_TRUSTED, NOT_PUBLIC, IPV6_NOT_ALLOWED; with `'express'` also TRUST_ALL, TRUST_INVALID, OPTIONS_INVALID
   */
  resolve(request: ClientIpRequest, expressTrust?: TrustFunction): ClientIp;
  /** The same walk, told step by step. Never throws. It names hosts of the deployment: for operators only. */
  explain(request: ClientIpRequest, expressTrust?: TrustFunction): ClientIpExplanation;
}

/**
 * Finds the payer's address. It starts at the socket and goes from proxy to proxy, from the right of one header to its
 * left, as long as each is trusted; the first who is not is the payer. What stands further left is the payer's own
 * writing, and is never looked at.
 *
 * @throws WechatH5Error OPTIONS_INVALID, TRUST_INVALID, TRUST_ALL, HEADER_NAME_INVALID: at once, for a wrong option
 * @see https://pay.weixin.qq.com/doc/v2/merchant/4011937139 获取用户IP指引
 */
export function createClientIpResolver(options: ClientIpOptions = {}): ClientIpResolver {
  const policy = readClientIpOptions(options);
  const proxiesFor = (expressTrust: TrustFunction | undefined) => policy.proxies ?? expressProxies(expressTrust);
  return {
    resolve: (request, expressTrust) => findPayer(policy, proxiesFor(expressTrust), request),
    explain: (request, expressTrust) =>
      explain(policy, request, (trace) => findPayer(policy, proxiesFor(expressTrust), request, trace)),
  };
}

function expressProxies(expressTrust: TrustFunction | undefined): TrustedProxies {
  if (typeof expressTrust !== 'function') throw expressTrustMissing();
  const guarded: TrustFunction = (address, hop) => {
    try {
      return expressTrust(address, hop);
    } catch (cause) {
      throw expressTrustThrew(cause);
    }
  };
  if (trustsEverybody(guarded)) throw expressTrustsAll();
  return trustByFunction(guarded);
}
