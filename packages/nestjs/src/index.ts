export type { HandlerContext, Payment, Refund } from '@wechat-h5/core';
export { ClientIp, InjectWechatH5, OnPaid, OnRefunded, RequestWechatH5 } from './wechat-h5.decorators.js';
export { WechatH5ExceptionFilter } from './wechat-h5-exception.filter.js';
export { WechatH5Module } from './wechat-h5.module.js';
export type {
  WechatH5ModuleAsyncOptions,
  WechatH5ModuleExtras,
  WechatH5ModuleOptions,
  WechatH5OptionsFactory,
} from './wechat-h5.module-definition.js';
export { getWechatH5Token, WechatH5 } from './wechat-h5.tokens.js';
