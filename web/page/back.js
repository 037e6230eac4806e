// The theorems' way back, to the situation that their reader came from: `?from=` holds the query and chapter of the
// explorer.

const from = new URLSearchParams(location.search).get('from') ?? '';
if (/^[?#]/.test(from)) document.getElementById('back').href = `./${from}`;
