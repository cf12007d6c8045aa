import { both, html } from './html.js';
import { page, payForm } from './page.js';
import { priceText, type Product } from './product.js';
import { SCENE } from './scene.js';

/**
 * The product and the button that pays for it.
 *
 * @param order the number the order will have. It stands in the form, so that a double click, or Back and the button
 *   once more, asks for the same order again instead of a second one.
 */
export function productPage(product: Product, order: string): string {
  return page({
    title: `${product.name} ${product.englishName}`,
    card: html`<section class="card">
      ${SCENE}
      <h1>${both(product.name, product.englishName)}</h1>
      <p class="price">${priceText(product.price)}</p>
      <p>${both('今晚 19:30 一公园码头登船', 'Tonight 19:30, boarding at Pier One')}</p>
    </section>`,
    actions: [payForm(order, both(`微信支付 ${priceText(product.price)}`, 'Pay with WeChat'))],
  });
}
