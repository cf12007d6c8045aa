import type { ExpressRequest } from './wechat-h5.js';

/** Inside a route or under a mount path: then somebody has chosen the requests already. */
export function isMounted(request: ExpressRequest): boolean {
  return request.route !== undefined || (request.baseUrl !== undefined && request.baseUrl !== '');
}
