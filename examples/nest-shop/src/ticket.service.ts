import { Inject, Injectable } from '@nestjs/common';
import { TicketOffice } from '@wechat-h5-examples/shop-pages';
import type { Payment } from '@wechat-h5/core';
import { OnPaid } from '@wechat-h5/nestjs';

/** Delivers the goods. */
@Injectable()
export class TicketService {
  readonly #tickets: TicketOffice;

  constructor(@Inject(TicketOffice) tickets: TicketOffice) {
    this.#tickets = tickets;
  }

  @OnPaid()
  issue(payment: Payment): void {
    this.#tickets.issue(payment);
  }
}
