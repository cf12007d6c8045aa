import {
  Inject,
  Module,
  type BeforeApplicationShutdown,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, HttpAdapterHost, MetadataScanner } from '@nestjs/core';
import { WechatH5Error, type WechatH5 } from '@wechat-h5/core';
import { closeInstance, isInstance, notifyPathOf, setHandlers, startReconciler } from '@wechat-h5/core/adapter';
import { decorator, findHandlers, soleHandler } from './wechat-h5.handlers.js';
import { createMiddleware } from './wechat-h5.middleware.js';
import { mount } from './wechat-h5.mount.js';
import {
  ConfigurableModuleClass,
  REGISTRATION,
  type Registration,
  type WechatH5ModuleAsyncOptions,
  type WechatH5ModuleOptions,
} from './wechat-h5.module-definition.js';

/**
 * WeChat Pay H5 for one merchant: answers notifications at the path of `notifyUrl`, calls the methods with
 * `@OnPaid()` and `@OnRefunded()`, and makes `WechatH5` injectable.
 */
@Module({ imports: [DiscoveryModule] })
export class WechatH5Module
  extends ConfigurableModuleClass
  implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  /**
   * @param argument options, laid over the environment when the application starts, which fails if they are
   *   wrong; or an instance that exists already
   */
  static override forRoot<Tx = never>(argument: WechatH5ModuleOptions<Tx> | WechatH5 = {}): DynamicModule {
    return isInstance(argument) ? super.forRootAsync({ useFactory: () => argument }) : super.forRoot(argument);
  }

  static override forRootAsync<Tx = never>(options: WechatH5ModuleAsyncOptions<Tx>): DynamicModule {
    return super.forRootAsync(options);
  }

  readonly #registration: Registration;
  readonly #discovery: DiscoveryService;
  readonly #scanner: MetadataScanner;

  constructor(
    @Inject(REGISTRATION) registration: Registration,
    @Inject(DiscoveryService) discovery: DiscoveryService,
    @Inject(MetadataScanner) scanner: MetadataScanner,
    @Inject(HttpAdapterHost) host: HttpAdapterHost,
  ) {
    super();
    this.#registration = registration;
    this.#discovery = discovery;
    this.#scanner = scanner;
    mount(createMiddleware(registration.instance, registration.name), host);
  }

  onModuleInit(): void {
    const { instance, name } = this.#registration;
    this.#refuseDoubles();
    const handlers = findHandlers(this.#discovery, this.#scanner);
    const names = this.#registrations().map((registered) => registered.name);
    const stray = handlers.find((handler) => !names.includes(handler.name));
    if (stray !== undefined) {
      throw new WechatH5Error(
        'OPTIONS_INVALID',
        `${stray.label} has ${decorator(stray)}, and no WechatH5Module has that name`,
        {
          field: stray.option,
          hint: `There is: ${names.map((known) => known ?? 'the unnamed one').join(', ')}.`,
        },
      );
    }
    setHandlers(instance, {
      onPaid: soleHandler(handlers, 'onPaid', name)?.call,
      onRefunded: soleHandler(handlers, 'onRefunded', name)?.call,
    });
  }

  /** Once every module's handlers and providers are there. */
  onApplicationBootstrap(): void {
    if (this.#registration.own) startReconciler(this.#registration.instance);
  }

  /** While the providers that handlers use are still there. */
  async beforeApplicationShutdown(): Promise<void> {
    if (this.#registration.own) await this.#registration.instance.stop();
  }

  /** After the server has closed: until then requests may still be waiting for WeChat Pay. */
  async onApplicationShutdown(): Promise<void> {
    if (this.#registration.own) await closeInstance(this.#registration.instance);
  }

  /** Of all modules of the application. */
  #registrations(): readonly Registration[] {
    return this.#discovery
      .getProviders()
      .filter(({ token }) => token === REGISTRATION)
      .map((wrapper) => wrapper.instance as Registration);
  }

  #refuseDoubles(): void {
    const { instance, name } = this.#registration;
    const others = this.#registrations().filter((registration) => registration !== this.#registration);
    if (others.some((other) => other.name === name)) {
      throw new WechatH5Error(
        'OPTIONS_INVALID',
        `WechatH5Module is set up twice ${name === undefined ? 'without a name' : `as ${name}`}`,
        {
          field: 'name',
          hint: 'Call forRoot() once, with isGlobal: true or by exporting the result from a module of yours; give a second merchant a name.',
        },
      );
    }
    if (others.some((other) => notifyPathOf(other.instance) === notifyPathOf(instance))) {
      throw new WechatH5Error(
        'OPTIONS_INVALID',
        `Two WechatH5Modules wait for notifications at ${notifyPathOf(instance)}`,
        {
          field: 'notifyUrl',
          hint: 'Give each merchant a notifyUrl with a path of its own, or give both merchants to one module: merchant: [a, b].',
        },
      );
    }
  }
}
