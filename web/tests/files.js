// Problem files for the tests.

import { zipSync } from 'fflate';

/** NumPy's types that the tests write, with the view that stores them. */
const TYPES = { '<f8': Float64Array, '<f4': Float32Array, '<i8': BigInt64Array, '<i4': Int32Array, '|u1': Uint8Array, '|b1': Uint8Array };

/** The bytes of values of a type; `<U…` stores texts. */
function bytesOf(values, dtype) {
  if (dtype.startsWith('<U')) {
    const points = new Uint32Array(values.length * Number(dtype.slice(2)));
    values.forEach((text, i) => [...text].forEach((c, j) => (points[i * Number(dtype.slice(2)) + j] = c.codePointAt(0))));
    return Buffer.from(points.buffer);
  }
  if (dtype === '>f8') return bytesOf(values, '<f8').swap64();
  const array = TYPES[dtype].from(values, dtype === '<i8' ? BigInt : Number);
  return Buffer.from(array.buffer);
}

/** A .npy array. `rows` is a list of rows or of values; `fortran` stores it column by column. */
export function npy(rows, { fortran = false, dtype = '<f8' } = {}) {
  const flat = !Array.isArray(rows[0]);
  const values = flat ? rows : fortran ? rows[0].flatMap((_, c) => rows.map((row) => row[c])) : rows.flat();
  const shape = flat ? `${rows.length},` : `${rows.length}, ${rows[0].length}`;
  const dict = `{'descr': '${dtype}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${shape}), }`;
  const header = dict.padEnd(64 * Math.ceil((dict.length + 11) / 64) - 11) + '\n';
  const start = Buffer.alloc(10);
  start.write('\x93NUMPY\x01\x00', 'latin1');
  start.writeUInt16LE(header.length, 8);
  return Buffer.concat([start, Buffer.from(header, 'latin1'), bytesOf(values, dtype)]);
}

/** A .npz file of arrays (lists of rows, or bytes of .npy); further members by their whole name. */
export function npz(arrays, { level = 0, fortran = false, others = {} } = {}) {
  const member = ([name, rows]) => [`${name}.npy`, Buffer.isBuffer(rows) ? rows : npy(rows, { fortran })];
  return Buffer.from(zipSync({ ...Object.fromEntries(Object.entries(arrays).map(member)), ...others }, { level }));
}

/** A .safetensors file of the same arrays, in f64. */
export function safetensors(arrays) {
  const parts = [];
  const header = {};
  let end = 0;
  for (const [name, rows] of Object.entries(arrays)) {
    const bytes = bytesOf(rows.flat(), '<f8');
    header[name] = { dtype: 'F64', shape: [rows.length, rows[0].length], data_offsets: [end, (end += bytes.length)] };
    parts.push(bytes);
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...parts]);
}

/** A problem with N = 3, h = 4, k = 2. */
export const problem = () => ({
  features: [[0.9, 0.1, -0.3, 0.2], [0.2, -0.7, 0.4, 0.5], [-0.1, 0.3, 0.8, -0.6]],
  kernel: [[1.5, 0.3, 0.1], [0.3, 1.2, -0.2], [0.1, -0.2, 0.9]],
  targets: [[1, -0.5], [0.3, 0.8], [-0.7, 0.2]],
  head: [[0.2, -0.1], [0.4, 0.3], [-0.2, 0.5], [0.1, -0.3]],
});
