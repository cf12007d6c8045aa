import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { phoneAddress } from './phone-address.js';
import { PhoneBrowser } from './phone-browser.js';

const servers: Server[] = [];
const seen: { method: string | undefined; headers: IncomingHttpHeaders; from: string | undefined }[] = [];
let address: string;

beforeAll(async () => {
  address = await phoneAddress();
});

afterEach(async () => {
  seen.length = 0;
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => {
    seen.push({ method: request.method, headers: request.headers, from: request.socket.remoteAddress });
    request.resume();
    answer(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const FORM = '<form method="post" action="/pay"><input name="order" value="1" /><button>Pay</button></form>';

test('comes from its own address, with the headers of a browser, through a redirect to another origin', async () => {
  const cashier = await serve((_request, response) => response.end('<h1>Cashier</h1>'));
  const shop = await serve(({ method }, response) => {
    if (method === 'POST') response.writeHead(303, { location: `${cashier}/link` }).end();
    else response.setHeader('set-cookie', 'visit=7; Path=/; HttpOnly').end(FORM);
  });
  const phone = new PhoneBrowser(address);
  const page = await phone.press(await phone.open(`${shop}/shop?secret=1`), /Pay/);
  expect(page).toMatchObject({ status: 200, heading: 'Cashier' });
  expect(page.url.href).toBe(`${cashier}/link`);

  const [opened, posted, arrived] = seen;
  expect(opened).toMatchObject({ method: 'GET', from: address });
  expect(opened?.headers).not.toHaveProperty('referer');
  expect(opened?.headers).not.toHaveProperty('cookie');
  expect(posted?.method).toBe('POST');
  expect(posted?.headers).toMatchObject({
    referer: `${shop}/shop?secret=1`,
    origin: shop,
    cookie: 'visit=7',
    'content-length': '7',
  });
  expect(arrived?.method).toBe('GET');
  // Cookies are the host's, whatever the port; the Referer shrinks to the origin.
  expect(arrived?.headers).toMatchObject({ referer: `${shop}/`, cookie: 'visit=7' });
  expect(arrived?.headers).not.toHaveProperty('origin');
  expect(phone.received.list().map(({ status }) => status)).toEqual([200, 303, 200]);
});

test('a page with no-referrer leads on without Referer, and posts with Origin null', async () => {
  const cashier = await serve((_request, response) => response.end());
  const shop = await serve(({ method }, response) => {
    response.setHeader('referrer-policy', 'no-referrer');
    if (method === 'POST') response.writeHead(303, { location: cashier }).end();
    else response.end(FORM);
  });
  const phone = new PhoneBrowser(address);
  await phone.press(await phone.open(shop), /Pay/);
  expect(seen[1]?.headers).toMatchObject({ origin: 'null' });
  expect(seen[1]?.headers).not.toHaveProperty('referer');
  expect(seen[2]?.headers).not.toHaveProperty('referer');
});

test('says what it did not find', async () => {
  const shop = await serve((_request, response) => response.end('<title>Empty</title>'));
  const phone = new PhoneBrowser(address);
  const page = await phone.open(`${shop}/here`);
  expect(() => phone.press(page, /Pay/)).toThrow('no button /Pay/ on "Empty" (/here)');
  expect(() => phone.follow(page, /Done/)).toThrow('no link /Done/ on "Empty" (/here)');
});

test('gives up on a circle of redirects', async () => {
  const shop = await serve((_request, response) => response.writeHead(303, { location: '/' }).end());
  await expect(new PhoneBrowser(address).open(shop)).rejects.toThrow('more than 5 redirects');
});
