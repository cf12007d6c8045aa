import { Catch, HttpException, Logger, type ArgumentsHost } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { isWechatH5Error, type WechatH5Error, type WechatH5ErrorCode } from '@wechat-h5/core';

/** What an order's own state, or WeChat Pay, says to the visitor's request. Everything else is a fault on this side: 500. */
const STATUS: Partial<Record<WechatH5ErrorCode, number>> = {
  ORDER_UNKNOWN: 404,
  ORDER_CONFLICT: 409,
  ORDER_PAID: 409,
  ORDER_CLOSED: 409,
  ORDER_QUARANTINED: 409,
  ORDER_IN_PROGRESS: 409,
  PAYER_ADDRESS_CHANGED: 409,
  CLOSE_TOO_EARLY: 409,
  RETURN_CODE_FAIL: 502,
  GATEWAY_UNREACHABLE: 502,
  GATEWAY_REPLY_INVALID: 502,
  GATEWAY_REFUSED: 502,
  OVERLOADED: 503,
  ORDER_BOOK_FAILED: 503,
  GATEWAY_TIMEOUT: 504,
};

/** `instanceof` for every copy of the core package. */
class AnyWechatH5Error {
  static [Symbol.hasInstance](value: unknown): boolean {
    return isWechatH5Error(value);
  }
}

/**
 * Answers a `WechatH5Error` with a fitting status and `{ statusCode, code }`. The visitor learns the code
 * alone; message and hint, which may name addresses, go to Nest's log when the fault is on this side.
 *
 * `providers: [{ provide: APP_FILTER, useClass: WechatH5ExceptionFilter }]`, or `@UseFilters(WechatH5ExceptionFilter)`.
 */
@Catch(AnyWechatH5Error)
export class WechatH5ExceptionFilter extends BaseExceptionFilter {
  readonly #logger = new Logger('WechatH5');

  override catch(error: WechatH5Error, host: ArgumentsHost): void {
    // Only HTTP has statuses: other transports treat the error as they treat any.
    if (host.getType() !== 'http') throw error;
    const statusCode = STATUS[error.code] ?? 500;
    if (statusCode >= 500) this.#logger.error(`${error.code}: ${error.message} ${error.hint}`, error.stack);
    super.catch(new HttpException({ statusCode, code: error.code }, statusCode, { cause: error }), host);
  }
}
