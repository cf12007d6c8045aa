import 'reflect-metadata';
import { createParamDecorator, Inject, type ExecutionContext, type PipeTransform, type Type } from '@nestjs/common';
import {
  WechatH5Error,
  type ClientIp as PayerAddress,
  type HandlerContext,
  type Payment,
  type Refund,
} from '@wechat-h5/core';
import type { RequestWechatH5 as Bound } from '@wechat-h5/core/adapter';
import { boundTo } from './wechat-h5.middleware.js';
import { getWechatH5Token } from './wechat-h5.tokens.js';

/** Injects an instance. @param name as given to `WechatH5Module`; absent: the unnamed instance */
export const InjectWechatH5 = (name?: string): PropertyDecorator & ParameterDecorator => Inject(getWechatH5Token(name));

/** A name as given to `WechatH5Module`, then pipes. Written out: what Nest 12 infers, Nest 11 has no types for. */
type VisitorParameter = (
  ...nameOrPipes: (string | undefined | PipeTransform | Type<PipeTransform>)[]
) => ParameterDecorator;

/** WeChat Pay H5 for the visitor of a request: `createOrder` with their address, `confirmPayment`, `acknowledge`. */
export type RequestWechatH5 = Bound;
/**
 * The parameter of a controller's method: `@RequestWechatH5() wechatH5: RequestWechatH5`.
 * `@RequestWechatH5('books')` for a named instance.
 */
export const RequestWechatH5: VisitorParameter = createParamDecorator((name: string | undefined, context) =>
  visitorOf(context, name),
);

/** The payer's address: `{ ip, family, source, hop, public }`. */
export type ClientIp = PayerAddress;
/**
 * The parameter of a controller's method: `@ClientIp() { ip }: ClientIp`. The walk through the proxies happens
 * here; a wrong proxy configuration throws a `WechatH5Error`, in this route alone.
 */
export const ClientIp: VisitorParameter = createParamDecorator(
  (name: string | undefined, context) => visitorOf(context, name).clientIp,
);

/**
 * Delivers the goods: the method of a provider or controller that is called with each payment, exactly once to
 * success. It throws to have WeChat Pay repeat the notification.
 *
 * @param name which instance's payments; absent: the unnamed one's
 */
export const OnPaid = handlerDecorator<Payment>('onPaid');

/** Called with each refund that WeChat Pay has confirmed, exactly once to success. Otherwise like {@link OnPaid}. */
export const OnRefunded = handlerDecorator<Refund>('onRefunded');

export type HandlerOption = 'onPaid' | 'onRefunded';

/** What a decorated method handles. */
export interface HandlerMark {
  readonly option: HandlerOption;
  readonly name: string | undefined;
}

const HANDLERS = Symbol.for('@wechat-h5/nestjs/handlers');

/**
 * One mark for each decorator on a method. Kept by the method's name, not on the function: another decorator may put
 * a function of its own in place, and a subclass may override it.
 * @param prototype of the object that has the method
 */
export function handlerMarks(prototype: object, method: string | symbol): readonly HandlerMark[] {
  return (Reflect.getMetadata(HANDLERS, prototype, method) as readonly HandlerMark[] | undefined) ?? [];
}

/** The type lets the compiler refuse a method that cannot take the arguments. */
type HandlerDecorator<Subject> = <Method extends (subject: Subject, context: HandlerContext) => Promise<void> | void>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<Method>,
) => void;

function handlerDecorator<Subject>(option: HandlerOption): (name?: string) => HandlerDecorator<Subject> {
  return (name) => (target, method) => {
    if (typeof target === 'function') {
      throw new WechatH5Error('OPTIONS_INVALID', `${option} decorates the static method ${String(method)}`, {
        field: option,
        hint: 'Put the decorator on a method of a provider or controller that Nest creates.',
      });
    }
    const own = (Reflect.getOwnMetadata(HANDLERS, target, method) as readonly HandlerMark[] | undefined) ?? [];
    Reflect.defineMetadata(HANDLERS, [...own, { option, name }], target, method);
  };
}

function visitorOf(context: ExecutionContext, name: string | undefined): Bound {
  const bound = context.getType() === 'http' ? boundTo(context.switchToHttp().getRequest(), name) : undefined;
  if (bound !== undefined) return bound;
  const instance = name === undefined ? 'the unnamed instance' : `the instance ${name}`;
  throw new WechatH5Error('OPTIONS_INVALID', `${instance} is not bound to this request`, {
    field: 'name',
    hint: 'Import WechatH5Module.forRoot() with this name, and use the decorator on a parameter of an HTTP route.',
  });
}
