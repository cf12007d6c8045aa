import { hintOf } from './client-ip-advice.js';
import type { ClientIp, ClientIpRequest, ClientIpResolver, TrustFunction } from './client-ip.js';
import { isWechatH5Error, WechatH5Error } from './errors.js';
import { isForwardingHeader } from './known-headers.js';
import type { ProblemReporter } from './problems.js';

/** Kinds, and peers, that are told of in the life of a process. */
const MAX_TOLD = 30;

/**
 * Finds payers' addresses and tells the merchant, once for each kind, of what a payer or WeChat Pay would
 * only refuse without saying why: a proxy that is not trusted, an address that is not public, a chain that
 * cannot be read.
 */
export function diagnosed(
  resolver: ClientIpResolver,
  report: ProblemReporter,
  mustBePublic: boolean,
): (request: ClientIpRequest, trust?: TrustFunction) => ClientIp {
  const told = new Set<string>();
  const tell = (key: string, error: WechatH5Error): void => {
    // One stranger's forgery must not use up the word that a proxy's mistake needs; nor may strangers fill memory.
    if (told.has(key) || told.size >= MAX_TOLD) return;
    told.add(key);
    report('misconfigured', error);
  };
  return (request, trust) => {
    let found: ClientIp;
    try {
      found = resolver.resolve(request, trust);
    } catch (error) {
      if (isWechatH5Error(error)) tell(error.code, error);
      throw error;
    }
    if (!found.public && mustBePublic) {
      tell(
        'NOT_PUBLIC',
        new WechatH5Error('NOT_PUBLIC', `The address ${found.ip} is about to be sent, and is not public`, {
          field: 'clientIp.nonPublic',
          hint: "WeChat Pay refuses it (由于商家传入的H5交易参数有误). Leave clientIp.nonPublic out, which refuses it here. 请去掉 clientIp.nonPublic: 'allow'。",
        }),
      );
    }
    if (
      found.source === 'socket' &&
      hasForwardingHeader(request.rawHeaders) &&
      !told.has(`PROXY_NOT_TRUSTED ${found.ip}`)
    ) {
      const { suggestion } = resolver.explain(request, trust);
      if (suggestion !== undefined) {
        tell(
          `PROXY_NOT_TRUSTED ${found.ip}`,
          new WechatH5Error('PROXY_NOT_TRUSTED', `A forwarding header came from ${found.ip}, which is not trusted`, {
            field: 'clientIp.trust',
            hint: hintOf(suggestion),
          }),
        );
      }
    }
    return found;
  };
}

function hasForwardingHeader(rawHeaders: readonly string[]): boolean {
  for (let i = 0; i < rawHeaders.length; i += 2) if (isForwardingHeader(rawHeaders[i] as string)) return true;
  return false;
}
