// The arrays of a problem file, as the engine takes them: name, type, shape and bytes. What they mean is the engine's
// business.

/** More bytes than this, unpacked, would take the page too long. */
const MOST = 200_000_000;

/** Types of .safetensors by NumPy's names; others keep their own. */
const TYPES = {
  BOOL: '|b1', U8: '|u1', I8: '|i1', U16: '<u2', I16: '<i2', U32: '<u4', I32: '<i4', U64: '<u8', I64: '<i8',
  F16: '<f2', BF16: 'bfloat16', F32: '<f4', F64: '<f8',
};

const text = new TextDecoder();
const damaged = (what) => new Error(`the file is damaged or cut short (${what})`);

/** The first bytes of a file, in words. */
function beginning(bytes) {
  const start = bytes.subarray(0, 16);
  const words = text.decode(start);
  if (/^[\s\x20-\x7e]*$/.test(words)) return `text that begins with ${JSON.stringify(words)}`;
  return `a file that begins with the bytes ${[...start].map((b) => b.toString(16).padStart(2, '0')).join(' ')}`;
}

/** The arrays of a .npz or .safetensors file, and the names of what else is in it: { arrays, skipped }. */
export async function unpack(bytes) {
  if (bytes.length === 0) throw new Error('the file is empty');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) return zipped(bytes, view);
  if (bytes.length > 8 && bytes[8] === 0x7b && view.getBigUint64(0, true) <= bytes.length - 8) return tensors(bytes, view);
  throw new Error(`this is ${beginning(bytes)}; accepted: .npz and .safetensors files`);
}

function tensors(bytes, view) {
  const start = 8 + Number(view.getBigUint64(0, true));
  let header;
  try {
    header = JSON.parse(text.decode(bytes.subarray(8, start)));
  } catch (error) {
    throw damaged(error.message);
  }
  const arrays = [];
  for (const [name, tensor] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const { dtype, shape, data_offsets: [from, to] = [] } = tensor ?? {};
    const within = Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from <= to && start + to <= bytes.length;
    if (!within || typeof dtype !== 'string' || !isShape(shape)) throw damaged(`its header says nothing sensible about “${name}”`);
    arrays.push({ name, dtype: Object.hasOwn(TYPES, dtype) ? TYPES[dtype] : dtype, shape, fortran: false, bytes: bytes.subarray(start + from, start + to) });
  }
  return { arrays, skipped: [] };
}

const isShape = (shape) => Array.isArray(shape) && shape.every((n) => Number.isSafeInteger(n) && n >= 0);

/** The members of a zip archive by its directory at the end; checksums are verified. */
async function zipped(bytes, view) {
  const arrays = [];
  const skipped = [];
  let left = MOST;
  for (const { name, method, crc, size, packed } of directory(bytes, view)) {
    const [folder, base] = [name.slice(0, name.lastIndexOf('/') + 1), name.slice(name.lastIndexOf('/') + 1)];
    if (base === '') continue;
    // macOS adds such members to every archive.
    if (!base.endsWith('.npy') || base.startsWith('._') || folder.split('/').includes('__MACOSX')) {
      skipped.push(name);
      continue;
    }
    if ((left -= size) < 0) throw new Error(`its arrays take more than ${MOST} bytes; the command taskhead simulate takes larger ones`);
    const content = method === 0 ? packed : method === 8 ? await inflated(packed, size) : null;
    if (content === null) throw new Error(`“${name}” is packed by method ${method}; accepted: stored and deflated, as NumPy does`);
    if (content.length !== size || checksum(content) !== crc) throw damaged(`the checksum of “${name}” is wrong`);
    arrays.push(npy(base.slice(0, -4), content));
  }
  if (arrays.length === 0) throw new Error(`the archive holds no .npy array; found: ${skipped.join(', ') || 'nothing'}`);
  return { arrays, skipped };
}

function* directory(bytes, view) {
  // The last record: 22 bytes and a comment.
  let end = bytes.length - 22;
  while (end >= 0 && end > bytes.length - 22 - 0x10000 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0 || view.getUint32(end, true) !== 0x06054b50) throw damaged('the directory of the archive is missing');
  let at = view.getUint32(end + 16, true);
  for (let i = view.getUint16(end + 10, true); i > 0; i--) {
    if (at + 46 > end || view.getUint32(at, true) !== 0x02014b50) throw damaged('its directory');
    const u16 = (offset) => view.getUint16(at + offset, true);
    const u32 = (offset) => view.getUint32(at + offset, true);
    const [flags, method, crc, length, size, name, extra, comment, place] = [u16(8), u16(10), u32(16), u32(20), u32(24), u16(28), u16(30), u16(32), u32(42)];
    if (flags & 1) throw new Error('the archive is encrypted');
    // A local header, whose own name and extra field come before the data.
    if (place + 30 > end || view.getUint32(place, true) !== 0x04034b50) throw damaged('a member');
    const data = place + 30 + view.getUint16(place + 26, true) + view.getUint16(place + 28, true);
    if (data + length > end) throw damaged('a member');
    yield { name: text.decode(bytes.subarray(at + 46, at + 46 + name)), method, crc, size, packed: bytes.subarray(data, data + length) };
    at += 46 + name + extra + comment;
  }
}

/** Deflated bytes as they were; never more than one chunk beyond `size`. */
async function inflated(packed, size) {
  const content = new Uint8Array(size);
  let at = 0;
  try {
    const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (at + part.value.length > size) throw new Error('a member is longer than it says');
      content.set(part.value, at);
      at += part.value.length;
    }
  } catch (error) {
    throw damaged(error.message);
  }
  return content.subarray(0, at);
}

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n >>> 0;
});

/** The CRC-32 of zip. */
function checksum(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** NumPy's format 1.0 to 3.0: a header that is a Python dictionary, then the values. */
function npy(name, bytes) {
  const bad = () => new Error(`array “${name}” is no .npy array of a kind that is read here`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 12 || text.decode(bytes.subarray(1, 6)) !== 'NUMPY') throw bad();
  const start = bytes[6] === 1 ? 10 : 12;
  const end = start + (bytes[6] === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  const header = text.decode(bytes.subarray(start, Math.min(end, start + 10_000)));
  const shape = header.match(/'shape':\s*\(([\d,\s]*)\)/);
  const order = header.match(/'fortran_order':\s*(True|False)/);
  const dtype = header.match(/'descr':\s*(?:'([^']*)'|(\[.*?\]))/);
  if (end > bytes.length || !shape || !order || !dtype) throw bad();
  const sizes = shape[1].split(',').map((n) => n.trim()).filter((n) => n !== '').map(Number);
  if (!isShape(sizes)) throw bad();
  return { name, dtype: dtype[1] ?? dtype[2], shape: sizes, fortran: order[1] === 'True', bytes: bytes.subarray(end) };
}
