import type { GatewayPath } from './gateway-endpoints.js';
import type { Caller, GatewayReply } from './gateway.js';
import type { KnownMerchant } from './merchant.js';
import { rowOf, type Operation } from './result-codes.js';

/** Before the second and the third try. */
export const PAUSES_MS = [100, 400];

/**
 * {@link Gateway.call}, repeated where WeChat Pay says "the same parameters again": at most three tries, all within the
 * deadline of one call. Every try has the same numbers, so whatever an earlier one did is not done twice. What the last
 * one answered is the answer.
 */
export async function callRepeating(
  gateway: Caller,
  path: GatewayPath,
  merchant: KnownMerchant,
  business: Readonly<Record<string, string>>,
  subject: string,
): Promise<GatewayReply> {
  const deadline = gateway.deadline();
  const operation = path.slice(path.lastIndexOf('/') + 1) as Operation;
  let reply = await gateway.call(path, merchant, business, subject, deadline);
  for (const pauseMs of PAUSES_MS) {
    if (reply.refusal === undefined || rowOf(reply.refusal.errCode, { operation }).retry !== 'same-parameters') break;
    if (performance.now() + pauseMs >= deadline.at) break;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    reply = await gateway.call(path, merchant, business, subject, deadline);
  }
  return reply;
}
