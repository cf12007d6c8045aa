import {
  ConfigurableModuleBuilder,
  type ConfigurableModuleAsyncOptions,
  type ConfigurableModuleOptionsFactory,
  type FactoryProvider,
} from '@nestjs/common';
import type { WechatH5Options } from '@wechat-h5/core';
import { instanceOf, isInstance, type WechatH5Argument } from '@wechat-h5/core/adapter';
import { getWechatH5Token, WechatH5 } from './wechat-h5.tokens.js';

export interface WechatH5ModuleExtras {
  /** For a second merchant in the same application: `@InjectWechatH5(name)`, `@OnPaid(name)`. Default: the unnamed instance. */
  name?: string | undefined;
  /** Whether every module may inject the instance without importing this one. Default false. */
  isGlobal?: boolean;
}

/** Options laid over the environment, when the application starts. */
export type WechatH5ModuleOptions<Tx = never> = Partial<WechatH5Options<Tx>> & WechatH5ModuleExtras;

/** As everywhere in Nest: `useFactory`, `useClass` or `useExisting`; what they give is options, or an instance. */
export type WechatH5ModuleAsyncOptions<Tx = never> = ConfigurableModuleAsyncOptions<
  WechatH5Argument<Tx>,
  'createWechatH5Options'
> &
  WechatH5ModuleExtras;

/** For `useClass` and `useExisting`. */
export type WechatH5OptionsFactory<Tx = never> = ConfigurableModuleOptionsFactory<
  WechatH5Argument<Tx>,
  'createWechatH5Options'
>;

/** Which instance a module holds, and whether it made it. */
export interface Registration {
  readonly instance: WechatH5;
  readonly name: string | undefined;
  readonly own: boolean;
}

export const REGISTRATION = Symbol.for('@wechat-h5/nestjs/registration');

// The options are opaque here: what they may be is said, with the transaction's type, by WechatH5Module.
const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<object>({
  optionsInjectionToken: Symbol.for('@wechat-h5/nestjs/options'),
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createWechatH5Options')
  .setExtras<WechatH5ModuleExtras>({ name: undefined, isGlobal: false }, (definition, { name, isGlobal }) => {
    const token = getWechatH5Token(name);
    const register: FactoryProvider<Registration> = {
      provide: REGISTRATION,
      inject: [MODULE_OPTIONS_TOKEN],
      useFactory: (argument: WechatH5Argument) => {
        if (isInstance(argument)) return { instance: argument, name, own: false };
        // A copy: each application that is given these options makes an instance of its own.
        return { instance: instanceOf({ ...argument }), name, own: true };
      },
    };
    const instance = { provide: token, inject: [REGISTRATION], useFactory: (made: Registration) => made.instance };
    const alias = name === undefined ? [{ provide: WechatH5, useExisting: token }] : [];
    return {
      ...definition,
      global: isGlobal === true,
      providers: [...(definition.providers ?? []), register, instance, ...alias],
      exports: [token, ...alias.map(({ provide }) => provide)],
    };
  })
  .build();

export { ConfigurableModuleClass };
