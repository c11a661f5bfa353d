/* editor.js: CodeMirror over the text of a policy. The form is whole without it: the textarea stays the field that is
   sent, and the list of problems stays the place where they are read. Highlighting is decoration; the server parses. */
(() => {
  const area = document.querySelector('textarea[data-cedar]');
  if (!area || !window.CodeMirror) return;
  const { EditorState, EditorView, HighlightStyle, StreamLanguage, tags } = CodeMirror;
  const C = CodeMirror;

  const KEYWORDS = new Set('permit forbid when unless if then else in has like is'.split(' '));
  const VARIABLES = new Set('principal action resource context'.split(' '));
  const FUNCTIONS = new Set(('ip decimal datetime duration isIpv4 isIpv6 isLoopback isMulticast isInRange lessThan lessThanOrEqual '
    + 'greaterThan greaterThanOrEqual contains containsAll containsAny isEmpty getTag hasTag offset durationSince toDate toTime '
    + 'toMilliseconds toSeconds toMinutes toHours toDays').split(' '));
  const word = (stream, text) => {
    if (stream.match(/^\s*::/, false)) return 'typeName';
    if (text === 'true' || text === 'false') return 'bool';
    if (KEYWORDS.has(text)) return 'keyword';
    if (VARIABLES.has(text)) return 'variableName.special';
    return FUNCTIONS.has(text) && stream.match(/^\s*\(/, false) ? 'called' : 'variableName';
  };
  const cedar = StreamLanguage.define({
    name: 'cedar',
    token(stream) {
      if (stream.eatSpace()) return null;
      if (stream.match('//')) { stream.skipToEnd(); return 'comment' }
      if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) return 'string';
      if (stream.match(/^@[A-Za-z_]\w*/)) return 'meta';
      if (stream.match(/^-?\d+\b/)) return 'number';
      if (stream.match(/^[A-Za-z_]\w*/)) return word(stream, stream.current());
      if (stream.match(/^(?:==|!=|<=|>=|&&|\|\||[<>!+\-*])/)) return 'operator';
      stream.next(); return null;
    },
    languageData: { commentTokens: { line: '//' } },
    tokenTable: { called: tags.function(tags.variableName) },
  });
  const colours = HighlightStyle.define([
    [tags.keyword, 'kw'], [tags.bool, 'kw'], [tags.string, 'str'], [tags.comment, 'com'], [tags.number, 'str'], [tags.typeName, 'type'],
    [tags.meta, 'ann'], [tags.special(tags.variableName), 'var'], [tags.function(tags.variableName), 'fn'],
  ].map(([tag, name]) => ({ tag, class: `tok-${name}` })));

  // Colours are those of console.css. CodeMirror marks problems with data: images, which the policy of the page keeps out.
  const underline = (kind, colour) => ({ backgroundImage: 'none', textDecoration: `underline ${kind} ${colour}`, textUnderlineOffset: '.2em' });
  const look = EditorView.theme({
    '&': { backgroundColor: 'var(--surface)', color: 'var(--text)', border: '1px solid var(--line-strong)', borderRadius: 'var(--r-1)', maxHeight: '70vh', minHeight: '18rem' },
    '&.cm-focused': { outline: '2px solid var(--focus)', outlineOffset: '2px' },
    '.cm-scroller': { fontFamily: 'var(--mono)', fontSize: 'var(--fs-1)', lineHeight: '1.5', overflow: 'auto' },
    '.cm-content': { caretColor: 'var(--text)' },
    '.cm-cursor': { borderLeftColor: 'var(--text)' },
    '.cm-gutters': { backgroundColor: 'var(--surface-2)', color: 'var(--muted)', borderRight: '1px solid var(--line)' },
    '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in oklch, var(--surface-2) 60%, transparent)' },
    '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { background: 'var(--accent-wash)' },
    '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--accent-wash)', outline: '1px solid var(--accent)' },
    '.cm-lintRange-error': underline('wavy', 'var(--deny)'),
    '.cm-lintRange-warning': underline('wavy', 'var(--warn)'),
    '.cm-lintPoint:after': { display: 'none' },
    '.cm-lint-marker': { width: '1em', height: 'auto', textAlign: 'center', fontWeight: '700' },
    '.cm-lint-marker-error': { content: 'normal', color: 'var(--deny)' },
    '.cm-lint-marker-warning': { content: 'normal', color: 'var(--warn)' },
    '.cm-lint-marker-error::before': { content: '"!"' },
    '.cm-lint-marker-warning::before': { content: '"?"' },
    '.cm-tooltip': { backgroundColor: 'var(--surface)', color: 'var(--text)', border: '1px solid var(--line)', borderRadius: 'var(--r-1)' },
    '.cm-diagnostic': { borderLeft: '3px solid var(--line-strong)' },
    '.cm-diagnostic-error': { borderLeftColor: 'var(--deny)' },
    '.cm-diagnostic-warning': { borderLeftColor: 'var(--warn)' },
  });

  const label = document.querySelector(`label[for="${area.id}"]`);
  const named = { tabindex: '0', 'aria-multiline': 'true', spellcheck: 'false', autocapitalize: 'off', 'aria-describedby': 'problems' };
  if (label) { label.id ||= `${area.id}-label`; named['aria-labelledby'] = label.id }
  const view = new EditorView({
    parent: area.parentElement,
    state: EditorState.create({
      doc: area.value,
      extensions: [
        EditorView.cspNonce.of(document.querySelector('script[nonce]').nonce),
        C.lineNumbers(), C.highlightActiveLine(), C.highlightActiveLineGutter(), C.highlightSpecialChars(), C.drawSelection(),
        C.history(), C.bracketMatching(), C.indentUnit.of('  '), C.lintGutter(),
        EditorView.contentAttributes.of(named),
        // No key takes Tab, so it leaves the editor as it leaves any field.
        C.keymap.of([...C.defaultKeymap, ...C.historyKeymap, ...C.lintKeymap]),
        look, cedar, C.syntaxHighlighting(colours),
        // Typing over a selection is left to nobody else: Chromium would keep the looks of what went in a style attribute, which
        // the policy of the page refuses and reports.
        EditorView.domEventHandlers({
          beforeinput(event, view) {
            if (event.inputType !== 'insertText' || !event.data || event.isComposing || view.state.selection.main.empty) return false;
            event.preventDefault();
            view.dispatch(view.state.replaceSelection(event.data), { userEvent: 'input.type', scrollIntoView: true });
            return true;
          },
        }),
        EditorView.updateListener.of(update => { if (update.docChanged) area.value = update.state.doc.toString() }),
      ],
    }),
  });
  area.hidden = true;
  label?.addEventListener('click', () => view.focus());

  // Problems: `data-at` is line:column, counted from 1 in characters; CodeMirror counts UTF-16 units.
  const place = at => {
    const [row, column] = at.split(':').map(Number);
    const line = view.state.doc.line(Math.max(1, Math.min(row, view.state.doc.lines)));
    const before = [...line.text].slice(0, column - 1).join('').length;
    return { from: line.from + before, to: Math.min(line.to, line.from + before + (/^(?:[\w.:]+|"[^"]*"|.)/.exec(line.text.slice(before))?.[0].length ?? 0)) };
  };
  const mark = () => view.dispatch(C.setDiagnostics(view.state, [...document.querySelectorAll('#problems [data-at]')].map(link =>
    ({ ...place(link.dataset.at), severity: link.dataset.severity, message: link.textContent }))));
  mark();
  document.addEventListener('htmx:after:swap', mark);
  document.addEventListener('click', event => {
    const link = event.target.closest?.('#problems [data-at]'); if (!link) return;
    event.preventDefault();
    view.dispatch({ selection: { anchor: place(link.dataset.at).from }, scrollIntoView: true }); view.focus();
  });

  // What was typed is not lost by leaving the page without saying so.
  let sent = false;
  area.form.addEventListener('submit', () => { sent = true });
  window.addEventListener('beforeunload', event => { if (!sent && area.value !== area.defaultValue) event.preventDefault() });
})();
