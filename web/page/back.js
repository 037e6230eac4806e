// The way back of the theorems and of the note, to the situation that their reader came from: `?from=` holds the query
// and chapter of the explorer.

const from = new URLSearchParams(location.search).get('from') ?? '';
if (/^[?#]/.test(from)) {
  document.getElementById('back').href = `./${from}`;
  for (const anchor of document.querySelectorAll('a[href^="beyond.html"], a[href^="theorems.html"]')) anchor.search = location.search;
}
