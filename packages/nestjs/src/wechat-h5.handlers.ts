import type { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { WechatH5Error } from '@wechat-h5/core';
import { handlerMarks, type HandlerMark, type HandlerOption } from './wechat-h5.decorators.js';

/** One decorated method of one object. */
export interface FoundHandler extends HandlerMark {
  /** `ShopService.deliver`, for people. */
  readonly label: string;
  call(subject: unknown, context: unknown): Promise<void> | void;
}

type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];

/**
 * Every method with `@OnPaid()` or `@OnRefunded()`, once the application's objects exist.
 * @throws {WechatH5Error} `OPTIONS_INVALID`: there is no one object to call, because each request or consumer gets its own
 */
export function findHandlers(discovery: DiscoveryService, scanner: MetadataScanner): readonly FoundHandler[] {
  const seen = new Set<object>();
  return [...discovery.getProviders(), ...discovery.getControllers()].flatMap((wrapper) => {
    const { instance } = wrapper as { instance: unknown };
    // `useExisting` gives the same object a second name.
    if (typeof instance !== 'object' || instance === null || seen.has(instance)) return [];
    seen.add(instance);
    return handlersOf(wrapper, instance, scanner);
  });
}

/** The only handler for one thing. @throws {WechatH5Error} `OPTIONS_INVALID`: there are two */
export function soleHandler(
  handlers: readonly FoundHandler[],
  option: HandlerOption,
  name: string | undefined,
): FoundHandler | undefined {
  const [first, second] = handlers.filter((handler) => handler.option === option && handler.name === name);
  if (first === undefined || second === undefined) return first;
  throw new WechatH5Error(
    'OPTIONS_INVALID',
    `${decorator(first)} is on two methods: ${first.label} and ${second.label}`,
    {
      field: option,
      hint: 'A payment is delivered once: keep one and call the other from it. If it is the same class, two modules provide it: export it from one.',
    },
  );
}

/** `@OnPaid('books')`, for people. */
export function decorator({ option, name }: HandlerMark): string {
  return `@${option === 'onPaid' ? 'OnPaid' : 'OnRefunded'}(${name === undefined ? '' : `'${name}'`})`;
}

function handlersOf(wrapper: Wrapper, instance: object, scanner: MetadataScanner): FoundHandler[] {
  const methods = instance as Record<string, (subject: unknown, context: unknown) => Promise<void> | void>;
  const prototype = Object.getPrototypeOf(instance) as object | null;
  if (prototype === null) return [];
  return scanner.getAllMethodNames(prototype).flatMap((name) =>
    handlerMarks(prototype, name).map((mark) => {
      const label = `${wrapper.metatype?.name || instance.constructor.name}.${name}`;
      if (!wrapper.isDependencyTreeStatic() || wrapper.isTransient) {
        throw new WechatH5Error(
          'OPTIONS_INVALID',
          `${label} has ${decorator(mark)}, and is request-scoped or transient`,
          {
            field: mark.option,
            hint: 'A notification belongs to no request of the application. Move the method to a provider with the default scope, all of whose dependencies have it too.',
          },
        );
      }
      return { ...mark, label, call: (subject: unknown, context: unknown) => methods[name]?.(subject, context) };
    }),
  );
}
