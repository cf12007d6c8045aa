import { hintOf } from './client-ip-advice.js';
import type { ClientIp, ClientIpRequest, ClientIpResolver, TrustFunction } from './client-ip.js';
import { isWechatH5Error, WechatH5Error } from './errors.js';
import { isForwardingHeader } from './known-headers.js';
import type { ProblemReporter } from './problems.js';

/**
 * Finds payers' addresses and tells the merchant, once for each kind, of what a payer or WeChat Pay would
 * only refuse without saying why: a proxy that is not trusted, an address that is not public, a chain that
 * cannot be read.
 */
export function diagnosed(
  resolver: ClientIpResolver,
  report: ProblemReporter,
): (request: ClientIpRequest, trust?: TrustFunction) => ClientIp {
  const told = new Set<string>();
  const tell = (error: WechatH5Error): void => {
    if (told.has(error.code)) return;
    told.add(error.code);
    report('misconfigured', error);
  };
  return (request, trust) => {
    let found: ClientIp;
    try {
      found = resolver.resolve(request, trust);
    } catch (error) {
      if (isWechatH5Error(error)) tell(error);
      throw error;
    }
    if (found.source === 'socket' && !told.has('PROXY_NOT_TRUSTED') && hasForwardingHeader(request.rawHeaders)) {
      const { suggestion } = resolver.explain(request, trust);
      if (suggestion !== undefined) {
        tell(
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
