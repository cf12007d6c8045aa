/**
 * Keeps the page as it now is: reads it again whenever something happens, and now and then, and puts the new middle in
 * place of the old one. What is unfolded stays unfolded; buttons work without leaving the page. Everything works
 * without it, too.
 */
export const DASHBOARD_SCRIPT = `
(() => {
  'use strict';
  let markup = '';
  let wanted = false;
  let busy = false;
  const show = (text) => {
    const next = new DOMParser().parseFromString(text, 'text/html').getElementById('live');
    const old = document.getElementById('live');
    if (!next || next.outerHTML === markup) return;
    markup = next.outerHTML;
    const focused = document.activeElement && document.activeElement.id;
    for (const { id } of old.querySelectorAll('details[open]')) {
      const same = next.querySelector('#' + CSS.escape(id));
      if (same) same.open = true;
    }
    old.replaceWith(next);
    const again = focused && document.getElementById(focused);
    if (again) again.focus({ preventScroll: true });
  };
  const refresh = async () => {
    wanted = true;
    if (busy) return;
    busy = true;
    while (wanted) {
      wanted = false;
      try {
        const reply = await fetch(location.href);
        if (reply.ok) show(await reply.text());
      } catch {
        // The simulator was stopped: the stream says when it is back.
      }
      await new Promise((done) => setTimeout(done, 150));
    }
    busy = false;
  };
  const stream = new EventSource('/__simulator/events');
  stream.onopen = stream.onmessage = refresh;
  const state = () => document.documentElement.classList.toggle('cut-off', stream.readyState !== EventSource.OPEN);
  stream.addEventListener('open', state);
  stream.addEventListener('error', state);
  setInterval(refresh, 5000);
  document.addEventListener('submit', async (event) => {
    event.preventDefault();
    const form = event.target;
    const reply = await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)) });
    history.replaceState(null, '', reply.url);
    show(await reply.text());
  });
})();
`;
