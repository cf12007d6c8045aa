import type { ExpressRequest } from './wechat-h5.js';

/** The application's compiled `trust proxy`, for `clientIp: { trust: 'express' }`. `true` comes out as a function that trusts all, which core refuses. */
export function trustOfApplication(request: ExpressRequest): ((address: string, hop: number) => boolean) | undefined {
  const trust = request.app?.get('trust proxy fn');
  return typeof trust === 'function' ? (trust as (address: string, hop: number) => boolean) : undefined;
}
