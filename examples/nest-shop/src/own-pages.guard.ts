import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { errorPage, isSameOrigin, type ShopOptions } from '@wechat-h5-examples/shop-pages';
import type { Request } from 'express';
import { PageException } from './page.exception.js';
import { SHOP_OPTIONS } from './shop.tokens.js';

/** Only the shop's own pages may order and ask. */
@Injectable()
export class OwnPagesGuard implements CanActivate {
  readonly #origin: string;

  constructor(@Inject(SHOP_OPTIONS) { publicUrl }: ShopOptions) {
    this.#origin = new URL(publicUrl).origin;
  }

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<Request>();
    if (!isSameOrigin(headers, this.#origin)) throw new PageException(errorPage('NOT_SAME_ORIGIN'));
    return true;
  }
}
