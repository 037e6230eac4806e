// NumPy's .npz as .safetensors, which the engine reads: the same names, shapes and numbers in another container.

import JSZip from 'jszip';
import { parse } from 'npyjs';

const TYPES = { f4: ['F32', Float32Array], f8: ['F64', Float64Array] };

/** The content of a .safetensors file with the arrays of a .npz file; the checksums of its members are verified. */
export async function safetensors(bytes) {
  const zip = await JSZip.loadAsync(bytes, { checkCRC32: true }).catch((error) => {
    throw new Error(`the archive is damaged or cut short (${error.message.replace(/ *: *see http.*$/, '')})`);
  });
  const header = {};
  const parts = [];
  let end = 0;
  for (const entry of Object.values(zip.files)) {
    const name = entry.name.replace(/\.npy$/, '');
    if (name === entry.name) throw new Error(`the archive holds “${entry.name}”, which is not a .npy array`);
    if (name === 'labels') continue;
    let array;
    try {
      array = parse(await entry.async('arraybuffer'));
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
