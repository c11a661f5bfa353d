/* copy.js: a button beside each id that somebody may have to quote. Without script, one click still selects the id. */
(() => {
  if (!navigator.clipboard) return;                    // plain http: the browser has no clipboard for us
  const said = document.querySelector('#status');
  for (const id of document.querySelectorAll('code.copy')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'btn ghost copies';
    button.textContent = 'Copy';
    button.setAttribute('aria-label', `Copy ${id.dataset.what ?? 'this'}`);
    button.addEventListener('click', async () => {
      try { await navigator.clipboard.writeText(id.textContent) } catch { return }
      button.textContent = 'Copied';
      if (said) said.textContent = 'Copied';
      setTimeout(() => { button.textContent = 'Copy'; if (said) said.textContent = '' }, 2000);
    });
    id.after(' ', button);
  }
})();
