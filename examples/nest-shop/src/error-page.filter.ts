import { Catch, Inject, NotFoundException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { errorCode, errorPage, readOrderNumber, type ShopOptions } from '@wechat-h5-examples/shop-pages';
import type { Request, Response } from 'express';
import { PageException } from './page.exception.js';
import { SHOP_OPTIONS } from './shop.tokens.js';

/** Answers whatever was thrown with a page for the payer. */
@Catch()
export class ErrorPageFilter implements ExceptionFilter<unknown> {
  readonly #onError: (error: unknown) => void;

  constructor(@Inject(SHOP_OPTIONS) { onError = console.error }: ShopOptions) {
    this.#onError = onError;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const { status, html } = this.#pageFor(error, http.getRequest<Request>());
    http.getResponse<Response>().status(status).type('html').send(html);
  }

  #pageFor(error: unknown, request: Request) {
    if (error instanceof PageException) return error.page;
    // Nest's own, for a path without a route.
    if (error instanceof NotFoundException) return errorPage('NOT_FOUND');
    const page = errorPage(errorCode(error), readOrderNumber(request.body));
    if (page.status >= 500) this.#onError(error);
    return page;
  }
}
