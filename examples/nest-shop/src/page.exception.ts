import type { Page } from '@wechat-h5-examples/shop-pages';

/** Thrown to answer with this page instead. */
export class PageException extends Error {
  readonly page: Page;

  constructor(page: Page) {
    super(`answered with status ${page.status}`);
    this.page = page;
  }
}
