// NumPy's .npz as .safetensors, which the engine reads: the same names, shapes and numbers in another container.

import { ZipReader } from '@zip.js/zip.js/lib/zip-core-reader.js';
import { parse } from 'npyjs';

const TYPES = { f4: ['F32', Float32Array], f8: ['F64', Float64Array] };

/** The content of a .safetensors file with the arrays of a .npz file; the checksums of its members are verified. */
export async function safetensors(bytes) {
  const damaged = (error) => new Error(`the archive is damaged or cut short (${error.message})`);
  const entries = await new ZipReader(new Blob([bytes]).stream(), { checkSignature: true, useWebWorkers: false }).getEntries().catch((error) => {
    throw damaged(error);
  });
  const header = {};
  const parts = [];
  let end = 0;
  for (const entry of entries) {
    const name = entry.filename.replace(/\.npy$/, '');
    if (name === entry.filename) throw new Error(`the archive holds “${entry.filename}”, which is not a .npy array`);
    if (name === 'labels') continue;
    const content = await entry.arrayBuffer().catch((error) => {
      throw damaged(error);
    });
    let array;
    try {
      array = parse(content);
    } catch (error) {
      throw new Error(`array “${name}” cannot be read (${error.message})`);
    }
    const { shape, dtype, fortranOrder } = array;
    if (!(dtype in TYPES)) throw new Error(`array “${name}” is of type ${dtype}; accepted: f4 and f8`);
    const [type, Values] = TYPES[dtype];
    const values = fortranOrder && shape.length === 2 ? byRows(array.data, shape, Values) : array.data;
    parts.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    header[name] = { dtype: type, shape, data_offsets: [end, (end += values.byteLength)] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  let at = 8 + text.length;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

/** Values in Fortran order, row by row. */
function byRows(values, [rows, columns], Values) {
  return Values.from({ length: values.length }, (_, i) => values[Math.floor(i / columns) + rows * (i % columns)]);
}
