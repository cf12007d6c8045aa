import type { WechatH5 as Instance } from '@wechat-h5/core';

/**
 * The unnamed instance, as type and as token: `constructor(private readonly wechatH5: WechatH5)`. Without
 * decorator metadata (esbuild, tsx) write `@InjectWechatH5()` in front.
 */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging
export abstract class WechatH5 {}
export interface WechatH5 extends Instance {}

/**
 * The token of an instance, for `moduleRef.get(getWechatH5Token())` and for overriding it in tests. The same
 * symbol in every copy of this package: an application may load both its ESM and its CommonJS half.
 *
 * @param name as given to `WechatH5Module`; absent: the unnamed instance
 */
export function getWechatH5Token(name?: string): symbol {
  return Symbol.for(name === undefined ? '@wechat-h5/nestjs' : `@wechat-h5/nestjs/${name}`);
}
