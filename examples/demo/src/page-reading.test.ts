import { readPage } from './page-reading.js';

const PAGE = `<!doctype html><html><head><title>A &amp; B</title><style>h1 { content: "<h1>no</h1>" }</style></head>
<body><main data-state="paid"><svg><title>no</title></svg><!-- <h1>no</h1> -->
<h1>支付 <span lang="en">Pay&#39;s</span></h1>
<form method="post" action="/pay?a=1&#38;b=2"><input type="hidden" name="order" value="&#60;x&#62;" />
  <input type="hidden" name="empty" value="" /><button class="quiet">支付 <b>Pay</b></button></form>
<form action="/find"><button>Find</button></form>
<a class="button" href="/back?x=&quot;1&quot;">返回 Back</a></main></body></html>`;

test('a page is read as a person sees it', () => {
  expect(readPage(PAGE)).toEqual({
    title: 'A & B',
    heading: "支付 Pay's",
    text: "支付 Pay's 支付 Pay Find 返回 Back",
    state: 'paid',
    forms: [
      { button: '支付 Pay', method: 'POST', action: '/pay?a=1&b=2', fields: { order: '<x>', empty: '' } },
      { button: 'Find', method: 'GET', action: '/find', fields: {} },
    ],
    links: [{ text: '返回 Back', href: '/back?x="1"' }],
  });
});

test('what is no page has nothing on it', () => {
  expect(readPage('')).toEqual({ title: '', heading: '', text: '', state: undefined, forms: [], links: [] });
});
