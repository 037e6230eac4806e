// Numbers that were computed beforehand: a file beside the page, or a part of the page where it is one file.

export async function stored(name) {
  const inside = document.getElementById(`${name}-data`);
  if (inside) return JSON.parse(inside.textContent);
  const response = await fetch(`${name}.json`);
  if (!response.ok) throw new Error(`${name}.json: ${response.status}`);
  return response.json();
}
