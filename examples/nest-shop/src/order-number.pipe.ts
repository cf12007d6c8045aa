import type { PipeTransform } from '@nestjs/common';
import { errorPage, readOrderNumber } from '@wechat-h5-examples/shop-pages';
import { PageException } from './page.exception.js';

/** The order's number out of a form's or link's fields. */
export class OrderNumberPipe implements PipeTransform<unknown, string> {
  readonly #refusal: Parameters<typeof errorPage>[0];

  /** @param refusal what to tell the payer when there is no such number */
  constructor(refusal: Parameters<typeof errorPage>[0]) {
    this.#refusal = refusal;
  }

  transform(fields: unknown): string {
    const order = readOrderNumber(fields);
    if (order === undefined) throw new PageException(errorPage(this.#refusal));
    return order;
  }
}
